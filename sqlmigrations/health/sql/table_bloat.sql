-- The size of each table, and an estimate of what its rows need, from the statistics of its columns: an estimate only,
-- and one that is worth something only where those are fresh. Rows that are stored out of line are not counted.
--
-- A row needs its line pointer (4 bytes), its header (23 bytes, and a bit for each column where one may be NULL) and
-- its values, both rounded up to 8 bytes: https://www.postgresql.org/docs/current/storage-page-layout.html
WITH page AS (
    SELECT pg_catalog.current_setting('block_size')::pg_catalog.float8 AS bytes
),
relation AS MATERIALIZED (
    SELECT
        c.oid,
        n.nspname,
        c.relname,
        c.reloptions,
        c.reltuples::pg_catalog.float8 AS rows,
        c.relpages * page.bytes AS bytes_then,
        -- To measure a table the server has to open it, which takes its time with thousands. One that is small by what
        -- its last ANALYZE or VACUUM saw, and has hardly changed since, is taken for small.
        CASE
            WHEN c.relpages >= 8
                OR c.reltuples = -1
                OR s.n_live_tup + s.n_dead_tup + s.n_mod_since_analyze > 1000
                OR coalesce(s.last_analyze, s.last_autoanalyze, s.last_vacuum, s.last_autovacuum) IS NULL
                THEN pg_catalog.pg_relation_size(c.oid)
            ELSE (c.relpages * page.bytes)::pg_catalog.int8
        END AS bytes,
        s.n_mod_since_analyze AS modified,
        greatest(s.last_analyze, s.last_autoanalyze) IS NOT NULL AS is_analyzed
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    CROSS JOIN page
    LEFT JOIN pg_catalog.pg_stat_all_tables AS s ON s.relid = c.oid
    WHERE c.relkind IN ('r', 'm')
        AND c.relpersistence <> 't'
        AND n.nspname !~ '^pg_'
        AND n.nspname <> 'information_schema'
),
-- Those of a few pages waste nothing that is worth a look.
large AS MATERIALIZED (
    SELECT relation.* FROM relation CROSS JOIN page WHERE relation.bytes >= 8 * page.bytes
),
width AS (
    SELECT
        s.schemaname,
        s.tablename,
        pg_catalog.count(*) AS columns,
        pg_catalog.sum((1 - s.null_frac) * s.avg_width) AS data,
        pg_catalog.bool_or(s.null_frac > 0) AS has_nulls
    FROM pg_catalog.pg_stats AS s
    WHERE NOT s.inherited
        AND (s.schemaname, s.tablename) IN (SELECT large.nspname, large.relname FROM large)
    GROUP BY 1, 2
),
described AS (
    SELECT
        large.*,
        pg_catalog.has_table_privilege(large.oid, 'SELECT')
        AND NOT pg_catalog.row_security_active(large.oid) AS is_readable,
        (
            SELECT pg_catalog.count(*)
            FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid = large.oid AND a.attnum > 0 AND NOT a.attisdropped
        ) AS columns,
        coalesce(
            (
                SELECT pg_catalog.split_part(o, '=', 2)::pg_catalog.float8
                FROM pg_catalog.unnest(large.reloptions) AS o
                WHERE o LIKE 'fillfactor=%'
            ),
            100
        ) AS fillfactor
    FROM large
)
-- All small ones are told together, by their number.
SELECT
    r.nspname::pg_catalog.text AS schema,
    r.relname::pg_catalog.text AS "table",
    '' AS name,
    r.bytes,
    r.is_readable,
    r.rows,
    -- Known to be analysed since the counters began, few changes since then, and of the size that it had then.
    coalesce(r.is_analyzed AND r.rows >= 0 AND r.modified <= 0.1 * r.rows, false)
    AND pg_catalog.abs(r.bytes - r.bytes_then) <= 0.1 * r.bytes
    AND coalesce(w.columns, 0) = r.columns AS is_fresh,
    pg_catalog.ceil(
        r.rows * (
            4
            + pg_catalog.ceil((23 + CASE WHEN w.has_nulls THEN pg_catalog.ceil(r.columns / 8.0) ELSE 0 END) / 8.0) * 8
            + pg_catalog.ceil(w.data / 8.0) * 8
        )
        / ((page.bytes - 24) * r.fillfactor / 100)
    ) * page.bytes AS needed_bytes,
    1::pg_catalog.int8 AS things
FROM described AS r
CROSS JOIN page
LEFT JOIN width AS w ON w.schemaname = r.nspname AND w.tablename = r.relname
UNION ALL
SELECT '', '', '', 0, true, 0, true, 0, pg_catalog.count(*)
FROM relation
CROSS JOIN page
WHERE relation.bytes < 8 * page.bytes
ORDER BY bytes DESC, 1, 2;
