-- JSONB columns, and the operator classes of the GIN indexes that they have. How large a table is takes its time with
-- thousands, and is asked of those that statements search:
--   SELECT pg_table_size(relation);  -- of a partitioned one: SELECT sum(pg_table_size(relid)) FROM pg_partition_tree(relation)
WITH gin AS MATERIALIZED (
    SELECT
        i.indrelid,
        k.attnum,
        pg_catalog.array_agg(DISTINCT oc.opcname::pg_catalog.text ORDER BY oc.opcname::pg_catalog.text) AS classes
    FROM pg_catalog.pg_am AS am
    JOIN pg_catalog.pg_class AS x ON x.relam = am.oid AND x.relkind IN ('i', 'I')
    JOIN pg_catalog.pg_index AS i ON i.indexrelid = x.oid
    CROSS JOIN LATERAL ROWS FROM (
        pg_catalog.unnest(i.indkey::pg_catalog.int2[]), pg_catalog.unnest(i.indclass::pg_catalog.oid[])
    ) AS k (attnum, opclass)
    JOIN pg_catalog.pg_opclass AS oc ON oc.oid = k.opclass
    WHERE am.amname = 'gin' AND i.indisvalid AND i.indpred IS NULL
    GROUP BY 1, 2
),
member AS MATERIALIZED (
    SELECT d.objid
    FROM pg_catalog.pg_depend AS d
    WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
        AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
)
SELECT
    c.oid AS relation,
    n.nspname::pg_catalog.text AS schema,
    c.relname::pg_catalog.text AS "table",
    ARRAY[a.attname::pg_catalog.text] AS columns,
    c.relkind = 'p' AS is_partitioned,
    coalesce(gin.classes, '{}') AS operator_classes
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN gin ON gin.indrelid = c.oid AND gin.attnum = a.attnum
WHERE c.relkind IN ('r', 'p', 'm')
    AND NOT c.relispartition
    AND c.relpersistence <> 't'
    AND a.atttypid = 'pg_catalog.jsonb'::pg_catalog.regtype
    AND n.nspname !~ '^pg_'
    AND n.nspname <> 'information_schema'
    AND c.oid NOT IN (SELECT member.objid FROM member)
ORDER BY 2, 3, a.attnum;
