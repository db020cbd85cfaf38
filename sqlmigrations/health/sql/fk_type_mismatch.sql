-- Columns of foreign keys beside the columns that they point at, with the types of both. A domain counts as the type
-- that it is made of.
WITH RECURSIVE made_of AS (
    SELECT t.oid, t.oid AS base FROM pg_catalog.pg_type AS t
    UNION ALL
    SELECT made_of.oid, t.typbasetype
    FROM made_of
    JOIN pg_catalog.pg_type AS t ON t.oid = made_of.base
    WHERE t.typtype = 'd'
)
SELECT
    n.nspname::pg_catalog.text AS schema,
    c.relname::pg_catalog.text AS "table",
    ARRAY[ca.attname::pg_catalog.text] AS columns,
    k.conname::pg_catalog.text AS "constraint",
    pg_catalog.concat(k.confrelid::pg_catalog.regclass, '.', pa.attname) AS parent,
    pg_catalog.format_type(ca.atttypid, NULL) AS type,
    pg_catalog.format_type(pa.atttypid, NULL) AS parent_type,
    ct.oid = pt.oid AS is_same,
    ct.typcategory = pt.typcategory AND ct.typlen >= pt.typlen AND ct.typcategory <> 'N' AS is_alike
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey)) AS pair (child, parent)
JOIN pg_catalog.pg_attribute AS ca ON ca.attrelid = k.conrelid AND ca.attnum = pair.child
JOIN pg_catalog.pg_attribute AS pa ON pa.attrelid = k.confrelid AND pa.attnum = pair.parent
JOIN made_of AS child ON child.oid = ca.atttypid
JOIN pg_catalog.pg_type AS ct ON ct.oid = child.base AND ct.typtype <> 'd'
JOIN made_of AS parent ON parent.oid = pa.atttypid
JOIN pg_catalog.pg_type AS pt ON pt.oid = parent.base AND pt.typtype <> 'd'
WHERE k.contype = 'f'
    AND k.conparentid = 0
    AND n.nspname !~ '^pg_'
    AND n.nspname <> 'information_schema'
ORDER BY is_same, 1, 2, 3;
