-- Sequences with the smallest limit on the way: the sequence's own, that of the column that it fills, and those of
-- columns of foreign keys that point there, however far. What they gave out last is read from each sequence:
--   SELECT last_value, is_called FROM sequence;
-- pg_sequences.last_value would take a lock on them that keeps ALTER SEQUENCE waiting.
WITH RECURSIVE sequence AS (
    SELECT
        s.seqrelid AS oid, c.relname, n.nspname, c.relnamespace,
        s.seqstart, s.seqincrement, s.seqmax, s.seqmin, s.seqcycle,
        pg_catalog.has_sequence_privilege(s.seqrelid, 'SELECT') AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
        AND NOT (c.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery()) AS is_readable
    FROM pg_catalog.pg_sequence AS s
    JOIN pg_catalog.pg_class AS c ON c.oid = s.seqrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relpersistence <> 't'
        AND n.nspname !~ '^pg_'
        AND n.nspname <> 'information_schema'
),
-- The types that a column of whole numbers can have, down to what a domain is made of, and where each ends.
whole (oid, base) AS (
    SELECT t.oid, t.oid
    FROM pg_catalog.pg_type AS t
    WHERE t.oid IN (
        'pg_catalog.int2'::pg_catalog.regtype, 'pg_catalog.int4'::pg_catalog.regtype,
        'pg_catalog.int8'::pg_catalog.regtype
    )
    UNION ALL
    SELECT t.oid, whole.base
    FROM whole
    JOIN pg_catalog.pg_type AS t ON t.typbasetype = whole.oid AND t.typtype = 'd'
),
ending AS MATERIALIZED (
    SELECT
        whole.oid,
        CASE whole.base
            WHEN 'pg_catalog.int2'::pg_catalog.regtype THEN 32767
            WHEN 'pg_catalog.int4'::pg_catalog.regtype THEN 2147483647
            ELSE 9223372036854775807
        END::pg_catalog.numeric AS limit
    FROM whole
),
-- The columns that a sequence fills (serial, identity, or a default that calls nextval), and those that point there.
filled AS (
    SELECT sequence.oid, d.refobjid AS relid, d.refobjsubid::pg_catalog.int2 AS attnum
    FROM sequence
    JOIN pg_catalog.pg_depend AS d
        ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.objid = sequence.oid
        AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.refobjsubid > 0
        AND d.deptype IN ('a', 'i')
    UNION
    SELECT sequence.oid, ad.adrelid, ad.adnum
    FROM sequence
    JOIN pg_catalog.pg_depend AS d
        ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.refobjid = sequence.oid
        AND d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
    JOIN pg_catalog.pg_attrdef AS ad ON ad.oid = d.objid
),
pointing AS MATERIALIZED (
    SELECT k.confrelid AS relid, pair.parent AS attnum, k.conrelid AS child, pair.child AS child_attnum
    FROM pg_catalog.pg_constraint AS k
    CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey)) AS pair (child, parent)
    WHERE k.contype = 'f'
),
reached (oid, relid, attnum) AS (
    SELECT oid, relid, attnum FROM filled
    UNION
    SELECT reached.oid, pointing.child, pointing.child_attnum
    FROM reached
    JOIN pointing ON pointing.relid = reached.relid AND pointing.attnum = reached.attnum
),
number AS MATERIALIZED (
    SELECT a.attrelid, a.attnum, a.attname, ending.limit
    FROM pg_catalog.pg_attribute AS a
    JOIN ending ON ending.oid = a.atttypid
    WHERE a.attnum > 0
),
owner AS (
    SELECT DISTINCT ON (filled.oid) filled.oid, c.relname
    FROM filled
    JOIN pg_catalog.pg_class AS c ON c.oid = filled.relid
    ORDER BY filled.oid, c.oid
),
narrow AS (
    SELECT DISTINCT ON (reached.oid) reached.oid, reached.relid, number.attname, number.limit
    FROM reached
    JOIN number ON number.attrelid = reached.relid AND number.attnum = reached.attnum
    ORDER BY reached.oid, number.limit, reached.relid
)
SELECT
    sequence.oid AS sequence,
    sequence.nspname::pg_catalog.text AS schema,
    sequence.relname::pg_catalog.text AS name,
    coalesce(owner.relname, '')::pg_catalog.text AS "table",
    sequence.is_readable,
    sequence.seqstart::pg_catalog.numeric AS start,
    sequence.seqincrement AS increment,
    sequence.seqmax < 9223372036854775807 AS is_narrow,
    CASE
        WHEN sequence.seqincrement > 0 THEN least(sequence.seqmax::pg_catalog.numeric, narrow.limit)
        ELSE greatest(sequence.seqmin::pg_catalog.numeric, -narrow.limit - 1)
    END AS limit,
    -- The column that ends first, if one does.
    CASE
        WHEN narrow.limit <= sequence.seqmax AND narrow.limit < 9223372036854775807
            THEN (
                SELECT ARRAY[n.nspname, c.relname, narrow.attname]::pg_catalog.text[]
                FROM pg_catalog.pg_class AS c
                JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                WHERE c.oid = narrow.relid
            )
    END AS limited_by,
    sequence.seqcycle AND (narrow.limit IS NULL OR narrow.limit >= sequence.seqmax) AS starts_again
FROM sequence
LEFT JOIN owner ON owner.oid = sequence.oid
LEFT JOIN narrow ON narrow.oid = sequence.oid
ORDER BY 2, 3;
