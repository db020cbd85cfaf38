-- B-tree indexes that are the beginning of another one: what (a) does, (a, b) does nearly as well. Unique indexes,
-- those that back a constraint or are the replica identity, and those with another predicate are no such beginnings.
WITH own AS (
    SELECT
        i.indexrelid, i.indrelid, c.relname, c.relispartition, t.relname AS table_name, n.nspname,
        i.indisunique OR i.indisreplident OR i.indisclustered
        OR i.indexrelid IN (SELECT k.conindid FROM pg_catalog.pg_constraint AS k) AS is_needed,
        pg_catalog.pg_relation_size(i.indexrelid) AS bytes,
        coalesce(pg_catalog.pg_get_expr(i.indpred, i.indrelid), '') AS predicate,
        i.indnkeyatts,
        i.indnatts,
        ARRAY(
            SELECT pg_catalog.concat_ws(
                '/',
                CASE
                    WHEN k.attnum = 0
                        THEN pg_catalog.pg_get_indexdef(i.indexrelid, k.position::pg_catalog.int4, false)
                    ELSE k.attnum::pg_catalog.text
                END,
                k.opclass, k.collid, k.option
            )
            FROM ROWS FROM (
                pg_catalog.unnest(i.indkey::pg_catalog.int2[]),
                pg_catalog.unnest(i.indclass::pg_catalog.oid[]),
                pg_catalog.unnest(i.indcollation::pg_catalog.oid[]),
                pg_catalog.unnest(i.indoption::pg_catalog.int2[])
            ) WITH ORDINALITY AS k (attnum, opclass, collid, option, position)
            WHERE k.position <= i.indnkeyatts
            ORDER BY k.position
        ) AS keys
    FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    JOIN pg_catalog.pg_am AS am ON am.oid = c.relam AND am.amname = 'btree'
    JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE i.indisvalid
        AND n.nspname !~ '^pg_'
        AND n.nspname <> 'information_schema'
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend AS d
            WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = t.oid AND d.deptype = 'e'
        )
),
-- The shortest one that begins with it.
other AS (
    SELECT DISTINCT ON (own.indexrelid) own.indexrelid, o.relname
    FROM own
    JOIN own AS o ON o.indrelid = own.indrelid
    WHERE NOT own.is_needed
        AND NOT own.relispartition
        AND own.indnkeyatts = own.indnatts
        AND o.indnkeyatts > own.indnkeyatts
        AND o.predicate = own.predicate
        AND o.keys[1:own.indnkeyatts] = own.keys
    ORDER BY own.indexrelid, o.indnkeyatts, o.indexrelid
)
SELECT
    own.nspname::pg_catalog.text AS schema,
    own.table_name::pg_catalog.text AS "table",
    own.relname::pg_catalog.text AS name,
    own.bytes,
    other.relname::pg_catalog.text AS other
FROM own
LEFT JOIN other ON other.indexrelid = own.indexrelid
ORDER BY other, 1, 2, 3;
