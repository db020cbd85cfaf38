-- Tables with rows, and extended statistics on them, of which the planner has no statistics. Only a role that may read
-- a table sees what is known of its columns.
WITH relation AS MATERIALIZED (
    SELECT
        c.oid,
        n.nspname,
        c.relname,
        c.reltuples,
        pg_catalog.has_table_privilege(c.oid, 'SELECT') AND NOT pg_catalog.row_security_active(c.oid) AS is_readable
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm')
        AND c.relpersistence <> 't'
        AND c.reltuples > 0
        AND n.nspname !~ '^pg_'
        AND n.nspname <> 'information_schema'
),
-- The view asks of each column whether it may be read. So it is asked for the first columns, which nearly all tables have
-- statistics of, and only then for the other columns of the tables that are left.
known_by_first AS MATERIALIZED (
    SELECT DISTINCT s.schemaname, s.tablename
    FROM pg_catalog.pg_stats AS s
    WHERE s.attname = ANY (
        ARRAY(
            SELECT DISTINCT a.attname
            FROM relation
            JOIN pg_catalog.pg_attribute AS a ON a.attrelid = relation.oid AND a.attnum = 1
        )
    )
),
known AS MATERIALIZED (
    SELECT k.schemaname, k.tablename FROM known_by_first AS k
    UNION
    SELECT s.schemaname, s.tablename
    FROM pg_catalog.pg_stats AS s
    WHERE s.tablename = ANY (
        ARRAY(
            SELECT relation.relname
            FROM relation
            WHERE (relation.nspname, relation.relname) NOT IN (SELECT k.schemaname, k.tablename FROM known_by_first AS k)
        )
    )
)
SELECT
    'table' AS kind,
    r.nspname::pg_catalog.text AS schema,
    r.relname::pg_catalog.text AS "table",
    r.nspname::pg_catalog.text AS table_schema,
    '' AS name,
    r.reltuples::pg_catalog.int8 AS rows,
    r.is_readable,
    known.tablename IS NOT NULL AS has_statistics
FROM relation AS r
LEFT JOIN known ON known.schemaname = r.nspname AND known.tablename = r.relname
UNION ALL
SELECT
    'statistics',
    n.nspname::pg_catalog.text,
    r.relname::pg_catalog.text,
    r.nspname::pg_catalog.text,
    x.stxname::pg_catalog.text,
    r.reltuples::pg_catalog.int8,
    r.is_readable,
    EXISTS (
        SELECT FROM pg_catalog.pg_stats_ext AS s
        WHERE s.statistics_schemaname = n.nspname AND s.statistics_name = x.stxname
    ) OR EXISTS (
        SELECT FROM pg_catalog.pg_stats_ext_exprs AS s
        WHERE s.statistics_schemaname = n.nspname AND s.statistics_name = x.stxname
    )
FROM pg_catalog.pg_statistic_ext AS x
JOIN relation AS r ON r.oid = x.stxrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = x.stxnamespace
ORDER BY has_statistics, schema, "table", name;
