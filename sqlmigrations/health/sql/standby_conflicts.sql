-- Queries that this standby has cancelled since the counters began, by what they were in the way of. A primary has none.
SELECT
    pg_catalog.substr(c.key, 7) AS name,
    c.value::pg_catalog.int8 AS count
FROM pg_catalog.pg_stat_database_conflicts AS d
CROSS JOIN LATERAL pg_catalog.jsonb_each_text(pg_catalog.to_jsonb(d)) AS c
WHERE d.datname = pg_catalog.current_database()
    AND c.key LIKE 'confl\_%'
    AND pg_catalog.pg_is_in_recovery()
ORDER BY 2 DESC, 1;
