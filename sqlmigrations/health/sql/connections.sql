-- How many connections there are, of how many that ordinary roles may open. What kind of session it is, is hidden from
-- a role that may not see it; one of a user in a database is a client's then.
SELECT
    (
        SELECT pg_catalog.count(*)
        FROM pg_catalog.pg_stat_activity AS a
        WHERE a.backend_type = 'client backend'
            OR (a.backend_type IS NULL AND a.datname IS NOT NULL AND a.usename IS NOT NULL AND a.leader_pid IS NULL)
    ) AS used,
    pg_catalog.current_setting('max_connections')::pg_catalog.int4
    - pg_catalog.current_setting('superuser_reserved_connections')::pg_catalog.int4
    - coalesce(pg_catalog.current_setting('reserved_connections', true)::pg_catalog.int4, 0) AS usable,
    r.rolconnlimit AS role_limit,
    (
        SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity AS a WHERE a.usesysid = r.oid
    ) AS role_used,
    d.datconnlimit AS database_limit,
    (
        SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity AS a WHERE a.datid = d.oid
    ) AS database_used,
    r.rolname::pg_catalog.text AS role,
    d.datname::pg_catalog.text AS "database"
FROM pg_catalog.pg_roles AS r
CROSS JOIN pg_catalog.pg_database AS d
WHERE r.rolname = CURRENT_USER AND d.datname = pg_catalog.current_database();
