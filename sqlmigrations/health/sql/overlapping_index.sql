-- B-tree indexes that are the beginning of another one: what (a) does, (a, b) does nearly as well. Unique indexes,
-- those that back a constraint or are the replica identity, and those with another predicate are no such beginnings.
WITH own AS (
    SELECT
        i.indexrelid, i.indrelid, c.relname, c.relispartition, t.relname AS table_name, n.nspname, i.indpred,
        i.indisunique OR i.indisreplident OR i.indisclustered
        OR i.indexrelid IN (SELECT k.conindid FROM pg_catalog.pg_constraint AS k) AS is_needed,
        i.indnkeyatts,
        i.indnatts,
        pg_catalog.concat(i.indkey, ' ') AS columns,
        pg_catalog.concat(i.indclass, ' ') AS opclasses,
        pg_catalog.concat(i.indcollation, ' ') AS collations,
        pg_catalog.concat(i.indoption, ' ') AS options
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
            WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
                AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = t.oid
        )
),
-- Pairs of which one begins with the numbers of the other's columns.
pair AS MATERIALIZED (
    SELECT
        own.indexrelid, own.indrelid, own.indnkeyatts, own.indpred,
        o.indexrelid AS other, o.relname AS other_name, o.indnkeyatts AS other_width, o.indpred AS other_predicate,
        own.columns ~ '(^| )0 ' AS has_expressions
    FROM own
    JOIN own AS o ON o.indrelid = own.indrelid
    WHERE NOT own.is_needed
        AND NOT own.relispartition
        AND own.indnkeyatts = own.indnatts
        AND o.indnkeyatts > own.indnkeyatts
        AND pg_catalog.starts_with(o.columns, own.columns)
        AND pg_catalog.starts_with(o.opclasses, own.opclasses)
        AND pg_catalog.starts_with(o.collations, own.collations)
        AND pg_catalog.starts_with(o.options, own.options)
),
-- The shortest one that begins with it, expressions and predicate included.
other AS (
    SELECT DISTINCT ON (pair.indexrelid) pair.indexrelid, pair.other_name
    FROM pair
    WHERE coalesce(pg_catalog.pg_get_expr(pair.indpred, pair.indrelid), '')
        = coalesce(pg_catalog.pg_get_expr(pair.other_predicate, pair.indrelid), '')
        AND (
            NOT pair.has_expressions
            OR NOT EXISTS (
                SELECT FROM pg_catalog.generate_series(1, pair.indnkeyatts::pg_catalog.int4) AS k
                WHERE pg_catalog.pg_get_indexdef(pair.indexrelid, k, false)
                    <> pg_catalog.pg_get_indexdef(pair.other, k, false)
            )
        )
    ORDER BY pair.indexrelid, pair.other_width, pair.other
)
-- All that are well are told together, by their number.
SELECT
    own.nspname::pg_catalog.text AS schema,
    own.table_name::pg_catalog.text AS "table",
    own.relname::pg_catalog.text AS name,
    pg_catalog.pg_relation_size(own.indexrelid) AS bytes,
    other.other_name::pg_catalog.text AS other,
    1::pg_catalog.int8 AS things
FROM own
JOIN other ON other.indexrelid = own.indexrelid
UNION ALL
SELECT '', '', '', 0, NULL, pg_catalog.count(*)
FROM own
WHERE own.indexrelid NOT IN (SELECT other.indexrelid FROM other)
ORDER BY 1, 2, 3;
