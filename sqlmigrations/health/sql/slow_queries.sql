-- What pg_stat_statements has seen of this database, the most time first. Its columns follow the version of the
-- extension, not that of the server, so those that have changed their name are read through JSON.
SELECT
    s.queryid::pg_catalog.text AS name,
    s.userid::pg_catalog.regrole::pg_catalog.text AS role,
    s.userid = CURRENT_USER::pg_catalog.regrole AS is_own,
    s.query,
    s.query = '<insufficient privilege>' AS is_hidden,
    s.calls,
    s.rows,
    coalesce(j.value ->> 'total_exec_time', j.value ->> 'total_time')::pg_catalog.float8 / 1000 AS seconds,
    coalesce(j.value ->> 'mean_exec_time', j.value ->> 'mean_time')::pg_catalog.float8 / 1000 AS mean_seconds
FROM pg_stat_statements AS s
CROSS JOIN LATERAL (SELECT pg_catalog.to_jsonb(s) AS value) AS j
JOIN pg_catalog.pg_database AS d ON d.oid = s.dbid
WHERE d.datname = pg_catalog.current_database()
    AND coalesce((j.value ->> 'toplevel')::pg_catalog.bool, true)
ORDER BY seconds DESC, name;
