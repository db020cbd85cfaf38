-- Foreign keys, each with another one of the same table, to the same table, that says the same or more.
WITH own AS MATERIALIZED (
    SELECT k.oid, k.conname, k.conrelid, k.confrelid, k.convalidated, k.confupdtype, k.confdeltype, k.conkey, k.confkey
    FROM pg_catalog.pg_constraint AS k
    JOIN pg_catalog.pg_namespace AS n ON n.oid = k.connamespace
    WHERE k.contype = 'f'
        AND k.conparentid = 0
        AND n.nspname !~ '^pg_'
        AND n.nspname <> 'information_schema'
),
-- Only of those more is looked up that have another one between the same tables.
fk AS MATERIALIZED (
    SELECT
        own.*,
        ARRAY(
            SELECT pg_catalog.concat(pair.child, '-', pair.parent)
            FROM ROWS FROM (pg_catalog.unnest(own.conkey), pg_catalog.unnest(own.confkey)) AS pair (child, parent)
            ORDER BY 1
        ) AS pairs
    FROM own
    WHERE (own.conrelid, own.confrelid) IN (
        SELECT o.conrelid, o.confrelid FROM own AS o GROUP BY 1, 2 HAVING pg_catalog.count(*) > 1
    )
),
other AS MATERIALIZED (
    SELECT DISTINCT ON (fk.oid)
        fk.oid,
        o.conname,
        o.pairs = fk.pairs AS is_same,
        o.confupdtype = fk.confupdtype AND o.confdeltype = fk.confdeltype AS acts_the_same
    FROM fk
    JOIN fk AS o ON o.conrelid = fk.conrelid AND o.confrelid = fk.confrelid
    WHERE o.oid <> fk.oid
        AND o.pairs OPERATOR(pg_catalog.@>) fk.pairs
        -- Of two that say the same, the one that isn't validated or is younger is the superfluous one.
        AND (o.pairs <> fk.pairs OR (fk.convalidated::pg_catalog.int4, -fk.oid::pg_catalog.int8)
            < (o.convalidated::pg_catalog.int4, -o.oid::pg_catalog.int8))
    ORDER BY fk.oid, o.pairs = fk.pairs DESC, o.oid
)
-- All that say something of their own are told together, by their number.
SELECT
    n.nspname::pg_catalog.text AS schema,
    c.relname::pg_catalog.text AS "table",
    fk.conname::pg_catalog.text AS name,
    ARRAY(
        SELECT a.attname::pg_catalog.text
        FROM pg_catalog.unnest(fk.conkey) WITH ORDINALITY AS key (attnum, position)
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = fk.conrelid AND a.attnum = key.attnum
        ORDER BY key.position
    ) AS columns,
    other.conname::pg_catalog.text AS other,
    other.is_same,
    other.acts_the_same,
    1::pg_catalog.int8 AS things
FROM other
JOIN fk ON fk.oid = other.oid
JOIN pg_catalog.pg_class AS c ON c.oid = fk.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
UNION ALL
SELECT '', '', '', '{}', NULL, false, false, pg_catalog.count(*)
FROM own
WHERE own.oid NOT IN (SELECT other.oid FROM other)
ORDER BY other, 1, 2, 3;
