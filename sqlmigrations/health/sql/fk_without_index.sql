-- Foreign keys, and how well an index of the child table serves them: when a row of the parent is deleted or its key
-- changed, PostgreSQL looks for children with `column = key AND ...` over exactly the key's columns, once per row.
--
-- An index serves it where the operator of that question is in its operator family, the collation is the column's,
-- it is valid, and its predicate, if any, asks no more than that columns of the key are not null.
--   2  all columns of the key lead it, in any order (GiST, GIN: anywhere in it; hash: its only column)
--   1  it begins with one of several columns of the key, or is a BRIN index: better than nothing
-- A partitioned child is as good as its worst partition.
WITH fk AS (
    SELECT
        k.oid, k.conname, k.conrelid, k.confrelid, k.conkey, k.conpfeqop,
        c.relname, c.relkind, n.nspname, c.reltuples,
        pg_catalog.cardinality(k.conkey) AS width
    FROM pg_catalog.pg_constraint AS k
    JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE k.contype = 'f'
        AND k.conparentid = 0
        AND n.nspname !~ '^pg_'
        AND n.nspname <> 'information_schema'
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend AS d
            WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e'
        )
),
-- The tables that hold the rows: the child itself, or its partitions.
leaf AS (
    SELECT fk.oid, fk.conrelid AS relid FROM fk WHERE fk.relkind = 'r'
    UNION ALL
    SELECT fk.oid, p.relid
    FROM fk, pg_catalog.pg_partition_tree(fk.conrelid) AS p
    JOIN pg_catalog.pg_class AS c ON c.oid = p.relid
    WHERE fk.relkind = 'p' AND p.isleaf AND c.relkind = 'r'
),
key AS MATERIALIZED (
    SELECT
        fk.oid,
        k.operator,
        (
            SELECT a.attname
            FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid = fk.conrelid AND a.attnum = k.attnum
        ) AS attname
    FROM fk
    CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(fk.conkey), pg_catalog.unnest(fk.conpfeqop)) AS k (attnum, operator)
),
-- The key's columns in each of them, which may have other numbers there.
key_column AS (
    SELECT
        leaf.oid, leaf.relid, own.attnum, own.attcollation, key.operator,
        -- What a predicate may ask: that columns of the key are not null.
        pg_catalog.array_agg(pg_catalog.concat(pg_catalog.quote_ident(own.attname), ' IS NOT NULL'))
            OVER (PARTITION BY leaf.oid, leaf.relid) AS implied
    FROM leaf
    JOIN key ON key.oid = leaf.oid
    JOIN pg_catalog.pg_attribute AS own
        ON own.attrelid = leaf.relid AND own.attname = key.attname AND NOT own.attisdropped
),
-- How many columns of the key each index can look up, and whether they lead it.
usable AS (
    SELECT
        key_column.oid,
        key_column.relid,
        i.indexrelid,
        am.amname,
        i.indnkeyatts,
        pg_catalog.count(*) AS columns,
        pg_catalog.max(ik.position) AS last,
        pg_catalog.min(ik.position) AS first
    FROM key_column
    JOIN pg_catalog.pg_index AS i
        ON i.indrelid = key_column.relid
        AND i.indisvalid AND i.indisready AND i.indislive
        AND key_column.attnum = ANY (i.indkey)
    JOIN pg_catalog.pg_class AS ic ON ic.oid = i.indexrelid
    JOIN pg_catalog.pg_am AS am ON am.oid = ic.relam
    CROSS JOIN LATERAL ROWS FROM (
        pg_catalog.unnest(i.indkey::pg_catalog.int2[]),
        pg_catalog.unnest(i.indclass::pg_catalog.oid[]),
        pg_catalog.unnest(i.indcollation::pg_catalog.oid[])
    ) WITH ORDINALITY AS ik (attnum, opclass, collid, position)
    JOIN pg_catalog.pg_opclass AS oc ON oc.oid = ik.opclass
    JOIN pg_catalog.pg_operator AS op ON op.oid = key_column.operator
    WHERE ik.attnum = key_column.attnum
        AND ik.position <= i.indnkeyatts
        AND ik.collid IN (0, key_column.attcollation)
        AND EXISTS (
            SELECT FROM pg_catalog.pg_amop AS ao
            WHERE ao.amopfamily = oc.opcfamily AND ao.amopopr IN (op.oid, op.oprcom) AND ao.amoppurpose = 's'
        )
        AND (
            i.indpred IS NULL
            OR NOT EXISTS (
                SELECT
                FROM pg_catalog.regexp_split_to_table(pg_catalog.pg_get_expr(i.indpred, i.indrelid), ' AND ') AS part
                WHERE pg_catalog.btrim(part, '()') <> ALL (key_column.implied)
            )
        )
    GROUP BY 1, 2, 3, 4, 5
),
served AS (
    SELECT
        leaf.oid,
        leaf.relid,
        coalesce(
            pg_catalog.max(
                CASE
                    WHEN usable.amname = 'brin' THEN 1
                    WHEN usable.columns < fk.width THEN (usable.first = 1)::pg_catalog.int4
                    WHEN usable.amname IN ('gist', 'gin') OR usable.last = fk.width THEN 2
                    ELSE (usable.first = 1)::pg_catalog.int4
                END
            ),
            0
        ) AS service
    FROM leaf
    JOIN fk ON fk.oid = leaf.oid
    LEFT JOIN usable ON usable.oid = leaf.oid AND usable.relid = leaf.relid
    GROUP BY 1, 2
)
SELECT
    fk.nspname::pg_catalog.text AS schema,
    fk.relname::pg_catalog.text AS "table",
    fk.conname::pg_catalog.text AS name,
    ARRAY(
        SELECT (
            SELECT a.attname::pg_catalog.text
            FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid = fk.conrelid AND a.attnum = k.attnum
        )
        FROM pg_catalog.unnest(fk.conkey) AS k (attnum)
    ) AS columns,
    fk.confrelid::pg_catalog.regclass::pg_catalog.text AS parent,
    fk.relkind = 'p' AS is_partitioned,
    coalesce(worst.service, 2) AS service,
    coalesce(worst.bytes, 0)::pg_catalog.int8 AS bytes
FROM fk
LEFT JOIN (
    SELECT
        served.oid,
        pg_catalog.min(served.service) AS service,
        pg_catalog.sum(CASE WHEN served.service < 2 THEN pg_catalog.pg_relation_size(served.relid) END) AS bytes
    FROM served
    GROUP BY served.oid
) AS worst ON worst.oid = fk.oid
ORDER BY service, 1, 2, 3;
