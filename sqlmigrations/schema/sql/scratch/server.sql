-- Where a session is, and whether a database can be made there.
SELECT (CASE WHEN has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
             THEN (SELECT system_identifier FROM pg_catalog.pg_control_system()) END)::text AS server,
       database.oid::bigint AS database,
       database.datname::text AS name,
       current_setting('server_version_num')::integer / 10000 AS major,
       pg_catalog.pg_is_in_recovery() AS is_standby,
       role.rolcreatedb OR role.rolsuper AS may_create,
       role.rolname::text AS role
  FROM pg_catalog.pg_database AS database, pg_catalog.pg_roles AS role
 WHERE database.datname = current_database() AND role.rolname = current_user;
