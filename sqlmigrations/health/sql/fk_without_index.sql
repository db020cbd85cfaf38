-- Foreign keys, and how well an index of the child table serves them: when a row of the parent is deleted or its key
-- changed, PostgreSQL looks for children with `column = key AND ...` over exactly the key's columns, once per row.
--
-- An index serves it where the operator of that question is in its operator family, the collation is the column's,
-- it is valid, and its predicate, if any, asks no more than that columns of the key are not null.
--   2  all columns of the key lead it, in any order (GiST, GIN: anywhere in it; hash: its only column)
--   1  it begins with one of several columns of the key, or is a BRIN index: better than nothing
-- A partitioned child is as good as its worst partition.
WITH fk AS MATERIALIZED (
    SELECT
        k.oid, k.conname, k.conrelid, k.confrelid, k.conkey, k.conpfeqop,
        c.relname, c.relkind, n.nspname,
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
            WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
                AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
        )
),
-- The tables that hold the rows, the child itself or its partitions, with the numbers that the key's columns have there.
leaf AS MATERIALIZED (
    SELECT fk.oid, fk.conrelid AS relid, fk.conkey AS attnums FROM fk WHERE fk.relkind = 'r'
    UNION ALL
    SELECT
        fk.oid,
        p.relid,
        ARRAY(
            SELECT own.attnum
            FROM pg_catalog.unnest(fk.conkey) WITH ORDINALITY AS k (attnum, position)
            JOIN pg_catalog.pg_attribute AS a ON a.attrelid = fk.conrelid AND a.attnum = k.attnum
            JOIN pg_catalog.pg_attribute AS own ON own.attrelid = p.relid AND own.attname = a.attname
            ORDER BY k.position
        )
    FROM fk
    CROSS JOIN LATERAL pg_catalog.pg_partition_tree(fk.conrelid) AS p
    JOIN pg_catalog.pg_class AS c ON c.oid = p.relid
    WHERE fk.relkind = 'p' AND p.isleaf AND c.relkind = 'r'
),
key_column AS MATERIALIZED (
    SELECT leaf.oid, leaf.relid, leaf.attnums, key.attnum, op.oid AS operator, op.oprcom AS commutator
    FROM leaf
    JOIN fk ON fk.oid = leaf.oid
    CROSS JOIN LATERAL ROWS FROM (
        pg_catalog.unnest(leaf.attnums), pg_catalog.unnest(fk.conpfeqop)
    ) AS key (attnum, operator)
    JOIN pg_catalog.pg_operator AS op ON op.oid = key.operator
),
candidate AS MATERIALIZED (
    SELECT
        key_column.oid, key_column.relid, key_column.attnum, key_column.operator, key_column.commutator,
        i.indexrelid, i.indnkeyatts, i.indkey, i.indclass, i.indcollation
    FROM key_column
    JOIN pg_catalog.pg_index AS i ON i.indrelid = key_column.relid AND key_column.attnum = ANY (i.indkey)
    WHERE i.indisvalid AND i.indisready AND i.indislive
        -- A predicate may ask that columns of the key are not null.
        AND (
            i.indpred IS NULL
            OR NOT EXISTS (
                SELECT
                FROM pg_catalog.regexp_split_to_table(pg_catalog.pg_get_expr(i.indpred, i.indrelid), ' AND ') AS part
                WHERE pg_catalog.btrim(part, '()') NOT IN (
                    SELECT pg_catalog.concat(pg_catalog.quote_ident(a.attname), ' IS NOT NULL')
                    FROM pg_catalog.pg_attribute AS a
                    WHERE a.attrelid = i.indrelid AND a.attnum = ANY (key_column.attnums)
                )
            )
        )
),
-- How many columns of the key each index can look up, and whether they lead it.
usable AS (
    SELECT
        candidate.oid,
        candidate.relid,
        candidate.indexrelid,
        am.amname,
        pg_catalog.count(*) AS columns,
        pg_catalog.max(ik.position) AS last,
        pg_catalog.min(ik.position) AS first
    FROM candidate
    CROSS JOIN LATERAL ROWS FROM (
        pg_catalog.unnest(candidate.indkey::pg_catalog.int2[]),
        pg_catalog.unnest(candidate.indclass::pg_catalog.oid[]),
        pg_catalog.unnest(candidate.indcollation::pg_catalog.oid[])
    ) WITH ORDINALITY AS ik (attnum, opclass, collid, position)
    JOIN pg_catalog.pg_opclass AS oc ON oc.oid = ik.opclass
    JOIN pg_catalog.pg_am AS am ON am.oid = oc.opcmethod
    WHERE ik.attnum = candidate.attnum
        AND ik.position <= candidate.indnkeyatts
        AND (
            ik.collid = 0
            OR ik.collid = (
                SELECT a.attcollation
                FROM pg_catalog.pg_attribute AS a
                WHERE a.attrelid = candidate.relid AND a.attnum = candidate.attnum
            )
        )
        AND EXISTS (
            SELECT FROM pg_catalog.pg_amop AS ao
            WHERE ao.amopfamily = oc.opcfamily
                AND ao.amopopr IN (candidate.operator, candidate.commutator)
                AND ao.amoppurpose = 's'
        )
    GROUP BY 1, 2, 3, 4
),
served AS (
    SELECT
        leaf.oid,
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
    GROUP BY leaf.oid, leaf.relid
),
judged AS MATERIALIZED (
    SELECT fk.*, coalesce(worst.service, 2) AS service
    FROM fk
    LEFT JOIN (
        SELECT served.oid, pg_catalog.min(served.service) AS service FROM served GROUP BY served.oid
    ) AS worst ON worst.oid = fk.oid
)
-- All that are well are told together, by their number.
SELECT
    judged.conrelid AS relation,
    judged.nspname::pg_catalog.text AS schema,
    judged.relname::pg_catalog.text AS "table",
    judged.conname::pg_catalog.text AS name,
    ARRAY(
        SELECT (
            SELECT a.attname::pg_catalog.text
            FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid = judged.conrelid AND a.attnum = k.attnum
        )
        FROM pg_catalog.unnest(judged.conkey) AS k (attnum)
    ) AS columns,
    judged.confrelid::pg_catalog.regclass::pg_catalog.text AS parent,
    judged.relkind = 'p' AS is_partitioned,
    judged.service,
    1::pg_catalog.int8 AS things
FROM judged
WHERE judged.service < 2
UNION ALL
SELECT NULL, '', '', '', '{}', '', false, 2, pg_catalog.count(*)
FROM judged
WHERE judged.service = 2
ORDER BY service, 2, 3, 4;
