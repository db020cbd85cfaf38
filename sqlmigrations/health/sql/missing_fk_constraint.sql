-- Columns called something_id that hold a number or a uuid, whether a foreign key holds them, and the one table of their
-- schema that they seem to point at by name: customer_id at customer, customers or shop_customer, where that has a
-- primary key of one column of such a type.
WITH relation AS (
    SELECT c.oid, c.relname::pg_catalog.text AS relname, n.nspname::pg_catalog.text AS nspname, c.relnamespace
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
kind (type, family) AS (
    VALUES
    ('pg_catalog.int2'::pg_catalog.regtype, 'number'),
    ('pg_catalog.int4'::pg_catalog.regtype, 'number'),
    ('pg_catalog.int8'::pg_catalog.regtype, 'number'),
    ('pg_catalog.uuid'::pg_catalog.regtype, 'uuid')
),
-- Columns of these types.
typed AS MATERIALIZED (
    SELECT a.attrelid, a.attnum, a.attname::pg_catalog.text AS attname, kind.family
    FROM pg_catalog.pg_attribute AS a
    JOIN kind ON kind.type = a.atttypid
    WHERE a.attnum > 0
),
-- Primary keys of one column.
key AS MATERIALIZED (
    SELECT r.oid, r.relname, r.relnamespace, typed.attnum, typed.attname, typed.family
    FROM relation AS r
    JOIN pg_catalog.pg_constraint AS k
        ON k.conrelid = r.oid AND k.contype = 'p' AND pg_catalog.cardinality(k.conkey) = 1
    JOIN typed ON typed.attrelid = r.oid AND typed.attnum = k.conkey[1]
),
held AS (
    SELECT k.conrelid AS oid, pg_catalog.unnest(k.conkey) AS attnum
    FROM pg_catalog.pg_constraint AS k
    WHERE k.contype = 'f'
),
candidate AS MATERIALIZED (
    SELECT
        r.oid, r.relname, r.nspname, r.relnamespace, typed.attnum, typed.attname, typed.family,
        (r.oid, typed.attnum) IN (SELECT held.oid, held.attnum FROM held) AS is_held
    FROM relation AS r
    JOIN typed ON typed.attrelid = r.oid
    WHERE typed.attname ~ '._id$'
        AND NOT EXISTS (SELECT FROM key WHERE key.oid = r.oid AND key.attnum = typed.attnum)
),
-- What a table may be called in a column: the end of its name from any underscore on, in the singular.
called AS (
    SELECT DISTINCT key.oid, key.relnamespace, key.family, singular.name
    FROM key
    CROSS JOIN LATERAL pg_catalog.generate_series(
        1, pg_catalog.cardinality(pg_catalog.string_to_array(key.relname, '_'))
    ) AS first (part)
    CROSS JOIN LATERAL (
        SELECT pg_catalog.array_to_string((pg_catalog.string_to_array(key.relname, '_'))[first.part :], '_')
    ) AS tail (name)
    CROSS JOIN LATERAL (
        VALUES
        (tail.name),
        (pg_catalog.regexp_replace(tail.name, 's$', '')),
        (pg_catalog.regexp_replace(tail.name, 'es$', '')),
        (pg_catalog.regexp_replace(tail.name, 'ies$', 'y'))
    ) AS singular (name)
    WHERE singular.name <> ''
        AND EXISTS (SELECT FROM candidate WHERE NOT candidate.is_held)
),
target AS (
    SELECT candidate.oid, candidate.attnum, pg_catalog.min(called.oid::pg_catalog.int8)::pg_catalog.oid AS parent
    FROM candidate
    JOIN called
        ON called.relnamespace = candidate.relnamespace
        AND called.family = candidate.family
        AND called.name = pg_catalog.left(candidate.attname, -3)
    WHERE NOT candidate.is_held
    GROUP BY candidate.oid, candidate.attnum
    HAVING pg_catalog.count(DISTINCT called.oid) = 1
)
-- All that a foreign key holds are told together, by their number.
SELECT
    candidate.nspname AS schema,
    candidate.relname AS "table",
    ARRAY[candidate.attname] AS columns,
    coalesce(parent.relname, '') AS parent_table,
    coalesce(parent.attname, '') AS parent_column,
    false AS is_held,
    1::pg_catalog.int8 AS things
FROM candidate
LEFT JOIN target ON target.oid = candidate.oid AND target.attnum = candidate.attnum
LEFT JOIN key AS parent ON parent.oid = target.parent
WHERE NOT candidate.is_held
UNION ALL
SELECT '', '', '{}', '', '', true, pg_catalog.count(*)
FROM candidate
WHERE candidate.is_held
ORDER BY 1, 2, 3;
