-- Whether schemas can be made here, and what names without a schema mean.
SELECT pg_catalog.pg_is_in_recovery() AS is_standby,
       current_setting('transaction_read_only') = 'on' AS is_read_only,
       pg_catalog.has_database_privilege(current_database(), 'CREATE') AS may_create,
       pg_catalog.quote_ident(current_database()) AS database,
       pg_catalog.quote_ident(current_user) AS role,
       coalesce(current_schema(), 'public')::text AS current_schema,
       current_schemas(false)::text[] AS path,
       ARRAY(SELECT DISTINCT nspname::text
               FROM pg_catalog.pg_extension JOIN pg_catalog.pg_namespace AS n ON n.oid = extnamespace
              WHERE nspname NOT IN ('pg_catalog', 'information_schema')
              ORDER BY 1) AS extension_schemas;
