-- Indexes, each with another one of its table that does the same. Two indexes are alike when access method, columns,
-- operator classes, collations, directions, INCLUDE columns and predicate are; Django's `_like` index beside a unique
-- one has another operator class, so it is none. Of two, the one is kept that backs a constraint, is unique, is the
-- replica identity or the clustering one, and then the older; a partition's index goes with its parent's. Two unique
-- ones that promise something else (at once or at the end; NULLS NOT DISTINCT, which is there from 15 on) are both kept.
WITH own AS MATERIALIZED (
    SELECT
        i.indexrelid, i.indrelid, c.relam, i.indnkeyatts,
        i.indkey::pg_catalog.int2[] AS keys, i.indclass, i.indcollation, i.indoption::pg_catalog.int2[] AS options
    FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
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
-- Those that have others which are alike but for expressions and predicates; only of these more is looked up.
peer AS MATERIALIZED (
    SELECT pg_catalog.unnest(pg_catalog.array_agg(own.indexrelid)) AS indexrelid
    FROM own
    GROUP BY own.indrelid, own.relam, own.indnkeyatts, own.keys, own.indclass, own.indcollation, own.options
    HAVING pg_catalog.count(*) > 1
),
worded AS (
    SELECT
        i.indexrelid, i.indrelid, i.indnatts, i.indisunique, i.indisreplident, i.indisclustered,
        c.relname, c.relispartition, c.relam, t.relname AS table_name, n.nspname, i.indnkeyatts,
        pg_catalog.concat_ws('/', i.indkey, i.indclass, i.indcollation, i.indoption) AS ways,
        CASE
            WHEN i.indisunique
                THEN pg_catalog.concat_ws('/', i.indimmediate, pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')
        END AS promise,
        i.indexrelid IN (
            SELECT k.conindid FROM pg_catalog.pg_constraint AS k WHERE k.contype IN ('p', 'u', 'x')
        ) AS backs_constraint,
        i.indexrelid IN (SELECT k.conindid FROM pg_catalog.pg_constraint AS k) AS is_needed,
        pg_catalog.pg_get_expr(i.indexprs, i.indrelid) AS expressions,
        coalesce(pg_catalog.pg_get_expr(i.indpred, i.indrelid), '') AS predicate
    FROM peer
    JOIN pg_catalog.pg_index AS i ON i.indexrelid = peer.indexrelid
    JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
),
ranked AS (
    SELECT
        own.*,
        pg_catalog.row_number() OVER alike AS position,
        pg_catalog.first_value(own.relname) OVER alike AS first_name,
        pg_catalog.first_value(own.promise) OVER alike AS first_promise
    FROM worded AS own
    WINDOW alike AS (
        PARTITION BY own.indrelid, own.relam, own.indnkeyatts, own.ways, own.expressions, own.predicate
        ORDER BY
            own.backs_constraint DESC, own.indisunique DESC, own.is_needed DESC, own.indisreplident DESC,
            own.indisclustered DESC, own.relispartition DESC, own.indexrelid
    )
),
judged AS MATERIALIZED (
    SELECT
        ranked.*,
        ranked.position > 1
        AND NOT ranked.relispartition
        AND (NOT ranked.indisunique OR coalesce(ranked.promise = ranked.first_promise, false)) AS is_superfluous
    FROM ranked
)
-- All that are well are told together, by their number.
SELECT
    judged.nspname::pg_catalog.text AS schema,
    judged.table_name::pg_catalog.text AS "table",
    judged.relname::pg_catalog.text AS name,
    ARRAY(
        SELECT pg_catalog.pg_get_indexdef(judged.indexrelid, k, false)
        FROM pg_catalog.generate_series(1, judged.indnatts) AS k
        ORDER BY k
    ) AS columns,
    judged.predicate,
    judged.is_needed,
    pg_catalog.pg_relation_size(judged.indexrelid) AS bytes,
    judged.first_name::pg_catalog.text AS other,
    1::pg_catalog.int8 AS things
FROM judged
WHERE judged.is_superfluous
UNION ALL
SELECT
    '', '', '', '{}', '', false, 0, NULL,
    pg_catalog.count(*) - (SELECT pg_catalog.count(*) FROM judged WHERE judged.is_superfluous)
FROM own
ORDER BY 1, 2, 3;
