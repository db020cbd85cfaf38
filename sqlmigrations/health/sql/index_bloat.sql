-- The size of each B-tree index, and an estimate of what its entries need at most: with one entry for each row, though
-- the server keeps equal ones together. So what is estimated too much is never waste.
--
-- An entry needs its line pointer (4 bytes), its header (8 bytes, 16 where a value may be NULL) and its values, rounded
-- up to 8 bytes; a page has a header of 24 and an end of 16 bytes.
WITH page AS (
    SELECT pg_catalog.current_setting('block_size')::pg_catalog.float8 AS bytes
),
-- To measure an index the server has to open it, which takes its time with thousands. Those of a table that has hardly
-- changed since ANALYZE or VACUUM saw it are as large as they were then; a table that neither has seen is measured
-- itself, for its indexes are small where it is.
parent AS MATERIALIZED (
    SELECT
        t.oid,
        t.relname,
        t.reltuples::pg_catalog.float8 AS rows,
        s.n_mod_since_analyze AS modified,
        greatest(s.last_analyze, s.last_autoanalyze) IS NOT NULL AS is_analyzed,
        coalesce(s.n_live_tup + s.n_dead_tup + s.n_mod_since_analyze > 1000, false)
        OR CASE
            WHEN t.reltuples = -1 THEN pg_catalog.pg_relation_size(t.oid) >= 8 * page.bytes
            ELSE coalesce(s.last_analyze, s.last_autoanalyze, s.last_vacuum, s.last_autovacuum) IS NULL
        END AS may_have_grown
    FROM pg_catalog.pg_class AS t
    JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
    CROSS JOIN page
    LEFT JOIN pg_catalog.pg_stat_all_tables AS s ON s.relid = t.oid
    WHERE t.relkind IN ('r', 'm')
        AND t.relpersistence <> 't'
        AND n.nspname !~ '^pg_'
        AND n.nspname <> 'information_schema'
),
relation AS MATERIALIZED (
    SELECT
        i.indexrelid,
        i.indrelid,
        i.indnatts AS columns,
        c.relnamespace,
        c.relname,
        c.reloptions,
        c.reltuples::pg_catalog.float8 AS rows,
        c.relpages * page.bytes AS bytes_then,
        parent.relname AS table_name,
        parent.rows AS table_rows,
        parent.modified,
        parent.is_analyzed,
        CASE
            WHEN c.relpages >= 8 OR parent.may_have_grown THEN pg_catalog.pg_relation_size(c.oid)
            ELSE (c.relpages * page.bytes)::pg_catalog.int8
        END AS bytes
    FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid AND c.relkind = 'i'
    JOIN pg_catalog.pg_am AS am ON am.oid = c.relam AND am.amname = 'btree'
    JOIN parent ON parent.oid = i.indrelid
    CROSS JOIN page
    WHERE i.indisvalid
),
-- Those of a few pages waste nothing that is worth a look.
large AS MATERIALIZED (
    SELECT
        relation.*,
        n.nspname,
        pg_catalog.has_table_privilege(relation.indrelid, 'SELECT')
        AND NOT pg_catalog.row_security_active(relation.indrelid) AS is_readable,
        coalesce(
            (
                SELECT pg_catalog.split_part(o, '=', 2)::pg_catalog.float8
                FROM pg_catalog.unnest(relation.reloptions) AS o
                WHERE o LIKE 'fillfactor=%'
            ),
            90
        ) AS fillfactor
    FROM relation
    JOIN pg_catalog.pg_namespace AS n ON n.oid = relation.relnamespace
    CROSS JOIN page
    WHERE relation.bytes >= 8 * page.bytes
),
-- An expression's statistics stand under the name of the index, a column's under that of the table.
described AS (
    SELECT
        r.indexrelid,
        r.nspname,
        CASE WHEN k.attnum = 0 THEN r.relname ELSE r.table_name END AS tablename,
        a.attname
    FROM large AS r
    JOIN pg_catalog.pg_index AS i ON i.indexrelid = r.indexrelid
    CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY AS k (attnum, position)
    JOIN pg_catalog.pg_attribute AS a
        ON a.attrelid = CASE WHEN k.attnum = 0 THEN i.indexrelid ELSE i.indrelid END
        AND a.attnum = CASE WHEN k.attnum = 0 THEN k.position ELSE k.attnum END
),
width AS (
    SELECT
        described.indexrelid,
        pg_catalog.count(s.attname) AS columns,
        pg_catalog.sum((1 - s.null_frac) * s.avg_width) AS data,
        pg_catalog.bool_or(s.null_frac > 0) AS has_nulls
    FROM described
    JOIN pg_catalog.pg_stats AS s
        ON s.schemaname = described.nspname
        AND s.tablename = described.tablename
        AND s.attname = described.attname
        AND NOT s.inherited
    WHERE (s.schemaname, s.tablename) IN (SELECT d.nspname, d.tablename FROM described AS d)
    GROUP BY 1
)
-- All small ones are told together, by their number.
SELECT
    r.nspname::pg_catalog.text AS schema,
    r.table_name::pg_catalog.text AS "table",
    r.relname::pg_catalog.text AS name,
    r.bytes,
    r.is_readable,
    r.rows,
    coalesce(r.is_analyzed AND r.rows >= 0 AND r.modified <= 0.1 * r.table_rows, false)
    AND pg_catalog.abs(r.bytes - r.bytes_then) <= 0.1 * r.bytes
    AND coalesce(w.columns, 0) = r.columns AS is_fresh,
    (
        1 + pg_catalog.ceil(
            r.rows * (
                4
                + CASE WHEN w.has_nulls THEN 16 ELSE 8 END
                + pg_catalog.ceil(w.data / 8.0) * 8
            )
            / ((page.bytes - 40) * r.fillfactor / 100)
        )
    ) * page.bytes AS needed_bytes,
    1::pg_catalog.int8 AS things
FROM large AS r
CROSS JOIN page
LEFT JOIN width AS w ON w.indexrelid = r.indexrelid
UNION ALL
SELECT '', '', '', 0, true, 0, true, 0, pg_catalog.count(*)
FROM relation
CROSS JOIN page
WHERE relation.bytes < 8 * page.bytes
ORDER BY bytes DESC, 1, 2, 3;
