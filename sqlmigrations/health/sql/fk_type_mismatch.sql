-- Columns of foreign keys beside the columns that they point at, with the types of both. A domain counts as the type
-- that it is made of.
WITH RECURSIVE made_of AS (
    SELECT t.oid, t.typbasetype AS base FROM pg_catalog.pg_type AS t WHERE t.typtype = 'd'
    UNION ALL
    SELECT made_of.oid, t.typbasetype
    FROM made_of
    JOIN pg_catalog.pg_type AS t ON t.oid = made_of.base
    WHERE t.typtype = 'd'
),
domain AS (
    SELECT made_of.oid, made_of.base
    FROM made_of
    JOIN pg_catalog.pg_type AS t ON t.oid = made_of.base
    WHERE t.typtype <> 'd'
),
pair AS MATERIALIZED (
    SELECT
        k.conname, k.conrelid, k.confrelid, n.nspname, column_of.child, column_of.parent,
        (
            SELECT a.atttypid
            FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid = k.conrelid AND a.attnum = column_of.child
        ) AS child_type,
        (
            SELECT a.atttypid
            FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid = k.confrelid AND a.attnum = column_of.parent
        ) AS parent_type
    FROM pg_catalog.pg_constraint AS k
    JOIN pg_catalog.pg_namespace AS n ON n.oid = k.connamespace
    CROSS JOIN LATERAL ROWS FROM (
        pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey)
    ) AS column_of (child, parent)
    WHERE k.contype = 'f'
        AND k.conparentid = 0
        AND n.nspname !~ '^pg_'
        AND n.nspname <> 'information_schema'
)
-- All pairs of one type are told together, by their number.
SELECT
    pair.nspname::pg_catalog.text AS schema,
    c.relname::pg_catalog.text AS "table",
    ARRAY[ca.attname::pg_catalog.text] AS columns,
    pair.conname::pg_catalog.text AS "constraint",
    pg_catalog.concat(pair.confrelid::pg_catalog.regclass, '.', pa.attname) AS parent,
    pg_catalog.format_type(ca.atttypid, NULL) AS type,
    pg_catalog.format_type(pa.atttypid, NULL) AS parent_type,
    ct.oid = pt.oid AS is_same,
    ct.typcategory = pt.typcategory AND ct.typlen >= pt.typlen AND ct.typcategory <> 'N' AS is_alike,
    1::pg_catalog.int8 AS things
FROM pair
JOIN pg_catalog.pg_class AS c ON c.oid = pair.conrelid
JOIN pg_catalog.pg_attribute AS ca ON ca.attrelid = pair.conrelid AND ca.attnum = pair.child
JOIN pg_catalog.pg_attribute AS pa ON pa.attrelid = pair.confrelid AND pa.attnum = pair.parent
LEFT JOIN domain AS child ON child.oid = ca.atttypid
JOIN pg_catalog.pg_type AS ct ON ct.oid = coalesce(child.base, ca.atttypid)
LEFT JOIN domain AS parent ON parent.oid = pa.atttypid
JOIN pg_catalog.pg_type AS pt ON pt.oid = coalesce(parent.base, pa.atttypid)
WHERE pair.child_type <> pair.parent_type
UNION ALL
SELECT '', '', '{}', '', '', '', '', true, true, pg_catalog.count(*)
FROM pair
WHERE pair.child_type = pair.parent_type
ORDER BY is_same, 1, 2, 3;
