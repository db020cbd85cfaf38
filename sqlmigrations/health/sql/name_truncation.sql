-- Names of user's objects, and those that are as long as a name can be: PostgreSQL cuts longer ones without an error.
-- Names that Django cut end in a hash, with a suffix or without, and are no accident. All that are well are told together,
-- by their number.
WITH named AS (
    SELECT
        CASE
            WHEN c.relkind IN ('i', 'I') THEN 'index' WHEN c.relkind = 'S' THEN 'sequence'
            WHEN c.relkind IN ('v', 'm') THEN 'view' ELSE 'table'
        END AS kind,
        n.nspname, '' AS relname, c.relname AS name, c.oid AS relid
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind <> 't'
    UNION ALL
    SELECT 'constraint', n.nspname, c.relname, k.conname, c.oid
    FROM pg_catalog.pg_constraint AS k
    JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE k.contype NOT IN ('p', 'u', 'x')
    UNION ALL
    SELECT 'column', n.nspname, c.relname, a.attname, c.oid
    FROM pg_catalog.pg_attribute AS a
    JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm')
    UNION ALL
    SELECT 'function', n.nspname, '', p.proname, NULL
    FROM pg_catalog.pg_proc AS p
    JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
),
full_length AS MATERIALIZED (
    SELECT pg_catalog.current_setting('max_identifier_length')::pg_catalog.int4 AS bytes
),
judged AS (
    SELECT
        named.*,
        pg_catalog.octet_length(named.name::pg_catalog.text) >= (SELECT full_length.bytes FROM full_length)
        AND named.name::pg_catalog.text !~ '_[0-9a-f]{8}(_[a-z0-9_]+)?$' AS is_full
    FROM named
    WHERE named.nspname !~ '^pg_'
        AND named.nspname <> 'information_schema'
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend AS d
            WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
                AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = named.relid
        )
),
-- In one pass, which keeps nothing but the long ones.
tally AS MATERIALIZED (
    SELECT
        pg_catalog.count(*) FILTER (WHERE NOT judged.is_full) AS well,
        pg_catalog.jsonb_agg(
            pg_catalog.jsonb_build_array(judged.kind, judged.nspname, judged.relname, judged.name)
        ) FILTER (WHERE judged.is_full) AS long
    FROM judged
)
SELECT
    each.parts ->> 0 AS kind,
    each.parts ->> 1 AS schema,
    each.parts ->> 2 AS "table",
    each.parts ->> 3 AS name,
    true AS is_full,
    1::pg_catalog.int8 AS things
FROM tally
CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(tally.long) AS each (parts)
UNION ALL
SELECT '', '', '', '', false, tally.well
FROM tally
ORDER BY is_full DESC, 1, 2, 3, 4;
