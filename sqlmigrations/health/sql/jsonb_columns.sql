-- JSONB columns, and the operator classes of the GIN indexes that they have.
SELECT
    n.nspname::pg_catalog.text AS schema,
    c.relname::pg_catalog.text AS "table",
    ARRAY[a.attname::pg_catalog.text] AS columns,
    c.relkind = 'p' AS is_partitioned,
    coalesce(
        (SELECT pg_catalog.sum(pg_catalog.pg_table_size(p.relid)) FROM pg_catalog.pg_partition_tree(c.oid) AS p),
        pg_catalog.pg_table_size(c.oid)
    )::pg_catalog.int8 AS bytes,
    ARRAY(
        SELECT DISTINCT oc.opcname::pg_catalog.text
        FROM pg_catalog.pg_index AS i
        JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
        JOIN pg_catalog.pg_am AS am ON am.oid = x.relam AND am.amname = 'gin'
        CROSS JOIN LATERAL ROWS FROM (
            pg_catalog.unnest(i.indkey::pg_catalog.int2[]), pg_catalog.unnest(i.indclass::pg_catalog.oid[])
        ) AS k (attnum, opclass)
        JOIN pg_catalog.pg_opclass AS oc ON oc.oid = k.opclass
        WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND k.attnum = a.attnum
        ORDER BY 1
    ) AS operator_classes
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p', 'm')
    AND NOT c.relispartition
    AND c.relpersistence <> 't'
    AND a.atttypid = 'pg_catalog.jsonb'::pg_catalog.regtype
    AND n.nspname !~ '^pg_'
    AND n.nspname <> 'information_schema'
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS d
        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e'
    )
ORDER BY 1, 2, a.attnum;
