-- Foreign keys with what it takes to look for rows without a parent. Each is then searched for with
--   SELECT count(*) FROM (SELECT FROM child AS c WHERE c.column IS NOT NULL
--       AND NOT EXISTS (SELECT FROM parent AS p WHERE p.key = c.column) LIMIT 1000) AS orphan;
-- also where PostgreSQL takes the key for valid: it believes itself, and VALIDATE CONSTRAINT then looks at nothing.
SELECT
    n.nspname::pg_catalog.text AS schema,
    c.relname::pg_catalog.text AS "table",
    k.conname::pg_catalog.text AS name,
    pn.nspname::pg_catalog.text AS parent_schema,
    p.relname::pg_catalog.text AS parent_table,
    k.confmatchtype = 'f' AS is_full,
    k.convalidated AS is_valid,
    -- From 18 on a key may hold a PERIOD: a child is then covered by several parents together.
    coalesce((pg_catalog.to_jsonb(k) ->> 'conperiod')::pg_catalog.bool, false) AS is_temporal,
    own.columns,
    own.parent_columns,
    own.operator_schemas,
    own.operators,
    coalesce(
        (SELECT pg_catalog.sum(pg_catalog.pg_relation_size(t.relid)) FROM pg_catalog.pg_partition_tree(c.oid) AS t),
        pg_catalog.pg_relation_size(c.oid)
    )::pg_catalog.int8 AS bytes,
    pg_catalog.has_table_privilege(c.oid, 'SELECT') AND pg_catalog.has_table_privilege(p.oid, 'SELECT')
    AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_schema_privilege(pn.oid, 'USAGE')
        AS is_readable
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class AS p ON p.oid = k.confrelid
JOIN pg_catalog.pg_namespace AS pn ON pn.oid = p.relnamespace
CROSS JOIN LATERAL (
    SELECT
        pg_catalog.array_agg(ca.attname::pg_catalog.text ORDER BY pair.position) AS columns,
        pg_catalog.array_agg(pa.attname::pg_catalog.text ORDER BY pair.position) AS parent_columns,
        pg_catalog.array_agg(opn.nspname::pg_catalog.text ORDER BY pair.position) AS operator_schemas,
        pg_catalog.array_agg(op.oprname::pg_catalog.text ORDER BY pair.position) AS operators
    FROM ROWS FROM (
        pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey), pg_catalog.unnest(k.conpfeqop)
    ) WITH ORDINALITY AS pair (child, parent, operator, position)
    JOIN pg_catalog.pg_attribute AS ca ON ca.attrelid = c.oid AND ca.attnum = pair.child
    JOIN pg_catalog.pg_attribute AS pa ON pa.attrelid = p.oid AND pa.attnum = pair.parent
    JOIN pg_catalog.pg_operator AS op ON op.oid = pair.operator
    JOIN pg_catalog.pg_namespace AS opn ON opn.oid = op.oprnamespace
) AS own
WHERE k.contype = 'f'
    AND k.conparentid = 0
    AND n.nspname !~ '^pg_'
    AND n.nspname <> 'information_schema'
ORDER BY bytes, 1, 2, 3;
