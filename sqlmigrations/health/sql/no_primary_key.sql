-- Tables, and whether they have a primary key. A partition has its parent's. Of those that have none: unique indexes that
-- could become it, whether a column is called id, and the columns of the partition key, which every key of a partitioned
-- table has to hold; none of them where it holds an expression.
WITH relation AS MATERIALIZED (
    SELECT
        c.oid, n.nspname, c.relname, c.relkind,
        EXISTS (
            SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conrelid = c.oid AND k.contype = 'p'
        ) AS has_key
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p')
        AND NOT c.relispartition
        AND c.relpersistence <> 't'
        AND n.nspname !~ '^pg_'
        AND n.nspname <> 'information_schema'
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend AS d
            WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
                AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
        )
),
-- All in one pass each, however many tables there are.
candidate AS (
    SELECT i.indrelid, pg_catalog.array_agg(x.relname::pg_catalog.text ORDER BY x.relname) AS names
    FROM relation
    JOIN pg_catalog.pg_index AS i ON i.indrelid = relation.oid
    JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
    WHERE NOT relation.has_key
        AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conindid = i.indexrelid)
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) AND NOT a.attnotnull
        )
    GROUP BY i.indrelid
)
-- All that have a key are told together, by their number.
SELECT
    relation.nspname::pg_catalog.text AS schema,
    relation.relname::pg_catalog.text AS "table",
    false AS has_key,
    coalesce(candidate.names, '{}') AS candidates,
    EXISTS (
        SELECT FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = relation.oid AND a.attname = 'id' AND a.attnum > 0 AND NOT a.attisdropped
    ) AS has_id,
    CASE WHEN relation.relkind = 'p' THEN ARRAY(
        SELECT a.attname::pg_catalog.text
        FROM pg_catalog.pg_partitioned_table AS p
        CROSS JOIN pg_catalog.unnest(p.partattrs) WITH ORDINALITY AS k (attnum, place)
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = p.partrelid AND a.attnum = k.attnum
        WHERE p.partrelid = relation.oid AND p.partexprs IS NULL
        ORDER BY k.place
    ) END AS partition_columns,
    1::pg_catalog.int8 AS things
FROM relation
LEFT JOIN candidate ON candidate.indrelid = relation.oid
WHERE NOT relation.has_key
UNION ALL
SELECT '', '', true, '{}', false, NULL, pg_catalog.count(*)
FROM relation
WHERE relation.has_key
ORDER BY has_key, 1, 2;
