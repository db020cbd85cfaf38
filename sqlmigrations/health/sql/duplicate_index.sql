-- Indexes, each with another one of its table that does the same. Two indexes are alike when access method, columns,
-- operator classes, collations, directions, INCLUDE columns and predicate are; Django's `_like` index beside a unique
-- one has another operator class, so it is none. Of two, the one is kept that backs a constraint, is unique, is the
-- replica identity or the clustering one, and then the older; a partition's index goes with its parent's.
WITH own AS (
    SELECT
        i.indexrelid, i.indrelid, c.relname, c.relispartition, t.relname AS table_name, n.nspname, c.relam,
        i.indisunique, i.indisreplident, i.indisclustered, i.indnkeyatts,
        pg_catalog.pg_relation_size(i.indexrelid) AS bytes,
        coalesce(pg_catalog.pg_get_expr(i.indpred, i.indrelid), '') AS predicate,
        EXISTS (
            SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
        ) AS backs_constraint,
        EXISTS (
            SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conindid = i.indexrelid
        ) AS is_needed,
        pg_catalog.concat(i.indclass, '/', i.indcollation, '/', i.indoption) AS ways,
        ARRAY(
            SELECT pg_catalog.pg_get_indexdef(i.indexrelid, k, false)
            FROM pg_catalog.generate_series(1, i.indnatts) AS k
            ORDER BY k
        ) AS columns
    FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE i.indisvalid
        AND n.nspname !~ '^pg_'
        AND n.nspname <> 'information_schema'
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend AS d
            WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = t.oid AND d.deptype = 'e'
        )
)
SELECT
    own.nspname::pg_catalog.text AS schema,
    own.table_name::pg_catalog.text AS "table",
    own.relname::pg_catalog.text AS name,
    own.columns,
    own.predicate,
    own.is_needed,
    own.bytes,
    other.relname::pg_catalog.text AS other
FROM own
LEFT JOIN LATERAL (
    SELECT o.relname
    FROM own AS o
    WHERE o.indrelid = own.indrelid
        AND o.indexrelid <> own.indexrelid
        AND o.relam = own.relam
        AND o.indnkeyatts = own.indnkeyatts
        AND o.columns = own.columns
        AND o.ways = own.ways
        AND o.predicate = own.predicate
        AND (o.backs_constraint OR NOT own.backs_constraint)
        AND (o.indisunique OR NOT own.indisunique)
        AND (
            o.backs_constraint::pg_catalog.int4, o.indisunique::pg_catalog.int4, o.is_needed::pg_catalog.int4,
            o.indisreplident::pg_catalog.int4, o.indisclustered::pg_catalog.int4, -o.indexrelid::pg_catalog.int8
        ) > (
            own.backs_constraint::pg_catalog.int4, own.indisunique::pg_catalog.int4, own.is_needed::pg_catalog.int4,
            own.indisreplident::pg_catalog.int4, own.indisclustered::pg_catalog.int4, -own.indexrelid::pg_catalog.int8
        )
    ORDER BY o.backs_constraint DESC, o.indisunique DESC, o.indexrelid
    LIMIT 1
) AS other ON NOT own.relispartition
ORDER BY other, 1, 2, 3;
