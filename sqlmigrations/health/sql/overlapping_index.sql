-- B-tree indexes that are the beginning of another one: what (a) does, (a, b) does nearly as well. Unique indexes,
-- those that back a constraint or are the replica identity, and those with another predicate are no such beginnings.
WITH own AS MATERIALIZED (
    SELECT
        i.indexrelid, i.indrelid, c.relname, n.nspname, i.indpred, i.indnkeyatts, i.indnatts,
        i.indkey, i.indclass, i.indcollation, i.indoption,
        i.indisunique OR i.indisreplident OR i.indisclustered OR c.relispartition AS is_needed
    FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    JOIN pg_catalog.pg_am AS am ON am.oid = c.relam AND am.amname = 'btree'
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE i.indisvalid
        AND n.nspname !~ '^pg_'
        AND n.nspname <> 'information_schema'
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend AS d
            WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
                AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = i.indrelid
        )
),
-- Pairs of which one begins with the numbers of the other's columns.
pair AS MATERIALIZED (
    SELECT
        own.indexrelid, own.indrelid, own.indnkeyatts, own.indpred,
        o.indexrelid AS other, o.relname AS other_name, o.indnkeyatts AS other_width, o.indpred AS other_predicate,
        0 = ANY (own.indkey) AS has_expressions
    FROM own
    JOIN own AS o ON o.indrelid = own.indrelid AND o.indkey[0] = own.indkey[0]
    WHERE NOT own.is_needed
        AND own.indnkeyatts = own.indnatts
        AND o.indnkeyatts > 1
        AND o.indnkeyatts > own.indnkeyatts
        AND pg_catalog.starts_with(pg_catalog.concat(o.indkey, ' '), pg_catalog.concat(own.indkey, ' '))
        AND pg_catalog.starts_with(pg_catalog.concat(o.indclass, ' '), pg_catalog.concat(own.indclass, ' '))
        AND pg_catalog.starts_with(pg_catalog.concat(o.indcollation, ' '), pg_catalog.concat(own.indcollation, ' '))
        AND pg_catalog.starts_with(pg_catalog.concat(o.indoption, ' '), pg_catalog.concat(own.indoption, ' '))
        AND own.indexrelid NOT IN (SELECT k.conindid FROM pg_catalog.pg_constraint AS k)
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
    t.relname::pg_catalog.text AS "table",
    own.relname::pg_catalog.text AS name,
    pg_catalog.pg_relation_size(own.indexrelid) AS bytes,
    other.other_name::pg_catalog.text AS other,
    1::pg_catalog.int8 AS things
FROM own
JOIN other ON other.indexrelid = own.indexrelid
JOIN pg_catalog.pg_class AS t ON t.oid = own.indrelid
UNION ALL
SELECT '', '', '', 0, NULL, pg_catalog.count(*)
FROM own
WHERE own.indexrelid NOT IN (SELECT other.indexrelid FROM other)
ORDER BY 1, 2, 3;
