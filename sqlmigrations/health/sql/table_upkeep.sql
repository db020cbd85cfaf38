-- Tables, what has changed in each since it was vacuumed and analysed, and from how many changes on autovacuum comes:
-- by the table's own settings, else the server's. Newer servers have an upper limit for it.
WITH setting AS (
    SELECT pg_catalog.jsonb_object_agg(s.name, s.setting::pg_catalog.float8) AS value
    FROM pg_catalog.pg_settings AS s
    WHERE s.name IN (
        'autovacuum_vacuum_threshold', 'autovacuum_vacuum_scale_factor', 'autovacuum_vacuum_max_threshold',
        'autovacuum_vacuum_insert_threshold', 'autovacuum_vacuum_insert_scale_factor',
        'autovacuum_analyze_threshold', 'autovacuum_analyze_scale_factor'
    )
),
relation AS (
    SELECT
        n.nspname,
        c.relname,
        greatest(c.reltuples, 0)::pg_catalog.float8 AS rows,
        s.n_live_tup,
        s.n_dead_tup,
        s.n_ins_since_vacuum,
        s.n_mod_since_analyze,
        greatest(s.last_vacuum, s.last_autovacuum) AS vacuumed,
        greatest(s.last_analyze, s.last_autoanalyze) AS analyzed,
        setting.value || coalesce(
            (
                SELECT pg_catalog.jsonb_object_agg(
                    pg_catalog.split_part(o, '=', 1), pg_catalog.split_part(o, '=', 2)::pg_catalog.float8
                )
                FROM pg_catalog.unnest(c.reloptions) AS o
                WHERE o ~ '^autovacuum_(vacuum|analyze).*_(threshold|scale_factor)='
            ),
            '{}'
        ) AS value
    FROM pg_catalog.pg_stat_all_tables AS s
    JOIN pg_catalog.pg_class AS c ON c.oid = s.relid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    CROSS JOIN setting
    WHERE c.relkind IN ('r', 'm')
        AND c.relpersistence <> 't'
        AND n.nspname !~ '^pg_'
        AND n.nspname <> 'information_schema'
)
SELECT
    r.nspname::pg_catalog.text AS schema,
    r.relname::pg_catalog.text AS "table",
    r.n_live_tup AS live,
    r.n_dead_tup AS dead,
    r.n_ins_since_vacuum AS inserted,
    r.n_mod_since_analyze AS modified,
    least(
        (r.value ->> 'autovacuum_vacuum_threshold')::pg_catalog.float8
        + (r.value ->> 'autovacuum_vacuum_scale_factor')::pg_catalog.float8 * r.rows,
        nullif((r.value ->> 'autovacuum_vacuum_max_threshold')::pg_catalog.float8, -1)
    ) AS vacuum_at,
    CASE
        WHEN (r.value ->> 'autovacuum_vacuum_insert_threshold')::pg_catalog.float8 >= 0
            THEN (r.value ->> 'autovacuum_vacuum_insert_threshold')::pg_catalog.float8
                + (r.value ->> 'autovacuum_vacuum_insert_scale_factor')::pg_catalog.float8 * r.rows
    END AS insert_vacuum_at,
    (r.value ->> 'autovacuum_analyze_threshold')::pg_catalog.float8
    + (r.value ->> 'autovacuum_analyze_scale_factor')::pg_catalog.float8 * r.rows AS analyze_at,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - r.vacuumed) AS vacuum_seconds,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - r.analyzed) AS analyze_seconds
FROM relation AS r
ORDER BY r.n_dead_tup DESC, 1, 2;
