-- How old the oldest unfrozen transaction ids and multixacts are: of each database, of its tables (the older of a
-- table and its TOAST table counts), and how far they may go before autovacuum freezes them whatever it costs.
WITH setting AS (
    SELECT
        pg_catalog.current_setting('autovacuum_freeze_max_age')::pg_catalog.int8 AS freeze_max_age,
        pg_catalog.current_setting('autovacuum_multixact_freeze_max_age')::pg_catalog.int8 AS multixact_freeze_max_age
)
SELECT
    'database' AS kind,
    '' AS schema,
    '' AS "table",
    d.datname::pg_catalog.text AS name,
    pg_catalog.age(d.datfrozenxid)::pg_catalog.int8 AS xid_age,
    pg_catalog.mxid_age(d.datminmxid)::pg_catalog.int8 AS multixact_age,
    setting.freeze_max_age,
    setting.multixact_freeze_max_age,
    NULL::pg_catalog.int8 AS bytes,
    NULL::pg_catalog.int4 AS vacuum_pid
FROM pg_catalog.pg_database AS d
CROSS JOIN setting
UNION ALL
SELECT
    'table',
    n.nspname::pg_catalog.text,
    c.relname::pg_catalog.text,
    '',
    greatest(pg_catalog.age(c.relfrozenxid), pg_catalog.age(t.relfrozenxid)),
    greatest(pg_catalog.mxid_age(c.relminmxid), pg_catalog.mxid_age(t.relminmxid)),
    -- A table's own setting can only make it earlier.
    least(
        setting.freeze_max_age,
        (
            SELECT pg_catalog.split_part(o, '=', 2)::pg_catalog.int8
            FROM pg_catalog.unnest(c.reloptions) AS o
            WHERE o LIKE 'autovacuum\_freeze\_max\_age=%'
        )
    ),
    least(
        setting.multixact_freeze_max_age,
        (
            SELECT pg_catalog.split_part(o, '=', 2)::pg_catalog.int8
            FROM pg_catalog.unnest(c.reloptions) AS o
            WHERE o LIKE 'autovacuum\_multixact\_freeze\_max\_age=%'
        )
    ),
    c.relpages::pg_catalog.int8 * pg_catalog.current_setting('block_size')::pg_catalog.int8,
    (
        SELECT pg_catalog.min(p.pid)
        FROM pg_catalog.pg_stat_progress_vacuum AS p
        WHERE p.datname = pg_catalog.current_database() AND p.relid IN (c.oid, c.reltoastrelid)
    )
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_class AS t ON t.oid = c.reltoastrelid
CROSS JOIN setting
WHERE c.relkind IN ('r', 'm')
    AND c.relpersistence <> 't'
    AND n.nspname !~ '^pg_temp'
ORDER BY kind, xid_age DESC, schema, "table", name;
