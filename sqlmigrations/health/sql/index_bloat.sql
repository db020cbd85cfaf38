-- The size of each B-tree index, and an estimate of what its entries need at most: with one entry for each row, though
-- the server keeps equal ones together. So what is estimated too much is never waste.
--
-- An entry needs its line pointer (4 bytes), its header (8 bytes, 16 where a value may be NULL) and its values, rounded
-- up to 8 bytes; a page has a header of 24 and an end of 16 bytes.
WITH page AS (
    SELECT pg_catalog.current_setting('block_size')::pg_catalog.float8 AS bytes
),
relation AS (
    SELECT
        i.indexrelid,
        i.indrelid,
        i.indnatts AS columns,
        n.nspname,
        t.relname AS table_name,
        c.relname,
        c.reltuples::pg_catalog.float8 AS rows,
        t.reltuples::pg_catalog.float8 AS table_rows,
        -- To measure an index the server has to open it, which takes its time with thousands; one that is small by all
        -- that the statistics say is taken for small. They say nothing of a table that was analysed once and has no
        -- mark of it any more: somebody has reset them.
        CASE
            WHEN c.relpages >= 8
                OR s.n_live_tup + s.n_dead_tup + s.n_mod_since_analyze > 1000
                OR t.reltuples >= 0
                    AND coalesce(s.last_analyze, s.last_autoanalyze, s.last_vacuum, s.last_autovacuum) IS NULL
                THEN pg_catalog.pg_relation_size(c.oid)
            ELSE (c.relpages * page.bytes)::pg_catalog.int8
        END AS bytes,
        c.relpages * page.bytes AS bytes_then,
        page.bytes AS page_bytes,
        pg_catalog.has_table_privilege(t.oid, 'SELECT') AND NOT pg_catalog.row_security_active(t.oid) AS is_readable,
        CASE WHEN c.reloptions IS NULL THEN 90 ELSE coalesce(
            (
                SELECT pg_catalog.split_part(o, '=', 2)::pg_catalog.float8
                FROM pg_catalog.unnest(c.reloptions) AS o
                WHERE o LIKE 'fillfactor=%'
            ),
            90
        ) END AS fillfactor,
        s.n_mod_since_analyze AS modified,
        greatest(s.last_analyze, s.last_autoanalyze) IS NOT NULL AS is_analyzed
    FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid AND c.relkind = 'i'
    JOIN pg_catalog.pg_am AS am ON am.oid = c.relam AND am.amname = 'btree'
    JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    CROSS JOIN page
    LEFT JOIN pg_catalog.pg_stat_all_tables AS s ON s.relid = t.oid
    WHERE i.indisvalid
        AND c.relpersistence <> 't'
        AND n.nspname !~ '^pg_'
        AND n.nspname <> 'information_schema'
),
-- An expression's statistics stand under the name of the index, a column's under that of the table.
width AS (
    SELECT
        r.indexrelid,
        pg_catalog.count(s.attname) AS columns,
        pg_catalog.sum((1 - s.null_frac) * s.avg_width) AS data,
        pg_catalog.bool_or(s.null_frac > 0) AS has_nulls
    FROM relation AS r
    JOIN pg_catalog.pg_index AS i ON i.indexrelid = r.indexrelid
    CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY AS k (attnum, position)
    JOIN pg_catalog.pg_attribute AS a
        ON a.attrelid = CASE WHEN k.attnum = 0 THEN i.indexrelid ELSE i.indrelid END
        AND a.attnum = CASE WHEN k.attnum = 0 THEN k.position ELSE k.attnum END
    JOIN pg_catalog.pg_stats AS s
        ON s.schemaname = r.nspname
        AND s.tablename = CASE WHEN k.attnum = 0 THEN r.relname ELSE r.table_name END
        AND s.attname = a.attname
        AND NOT s.inherited
    GROUP BY 1
)
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
            / ((r.page_bytes - 40) * r.fillfactor / 100)
        )
    ) * r.page_bytes AS needed_bytes
FROM relation AS r
LEFT JOIN width AS w ON w.indexrelid = r.indexrelid
ORDER BY r.bytes DESC, 1, 2, 3;
