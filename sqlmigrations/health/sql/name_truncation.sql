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
judged AS (
    SELECT
        named.*,
        pg_catalog.octet_length(named.name::pg_catalog.text)
            >= pg_catalog.current_setting('max_identifier_length')::pg_catalog.int4
        AND named.name::pg_catalog.text !~ '_[0-9a-f]{8}(_[a-z0-9_]+)?$' AS is_full
    FROM named
    WHERE named.nspname !~ '^pg_'
        AND named.nspname <> 'information_schema'
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend AS d
            WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
                AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = named.relid
        )
)
SELECT
    judged.kind,
    judged.nspname::pg_catalog.text AS schema,
    judged.relname::pg_catalog.text AS "table",
    judged.name::pg_catalog.text AS name,
    true AS is_full,
    1::pg_catalog.int8 AS things
FROM judged
WHERE judged.is_full
UNION ALL
SELECT '', '', '', '', false, pg_catalog.count(*)
FROM judged
WHERE NOT judged.is_full
ORDER BY is_full DESC, 1, 2, 3, 4;
