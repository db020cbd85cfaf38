-- Primary keys of one integer column that is narrower than bigint, with how much of it is used: the last value of the
-- sequence behind it, which is read from there, else the number of rows.
SELECT
    n.nspname::pg_catalog.text AS schema,
    c.relname::pg_catalog.text AS "table",
    ARRAY[a.attname::pg_catalog.text] AS columns,
    pg_catalog.format_type(a.atttypid, NULL) AS type,
    CASE a.atttypid WHEN 'pg_catalog.int2'::pg_catalog.regtype THEN 32767 ELSE 2147483647 END AS limit,
    greatest(c.reltuples, 0)::pg_catalog.int8 AS rows,
    sequence.oid AS sequence,
    coalesce(sequence.schema, '') AS sequence_schema,
    coalesce(sequence.name, '') AS sequence_name,
    coalesce(sequence.is_readable, false) AS is_readable
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
LEFT JOIN (
    SELECT DISTINCT ON (d.refobjid, d.refobjsubid)
        d.refobjid AS relid,
        d.refobjsubid AS attnum,
        s.oid,
        sn.nspname::pg_catalog.text AS schema,
        s.relname::pg_catalog.text AS name,
        pg_catalog.has_sequence_privilege(s.oid, 'SELECT') AND pg_catalog.has_schema_privilege(sn.oid, 'USAGE')
        AND NOT (s.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery()) AS is_readable
    FROM pg_catalog.pg_depend AS d
    JOIN pg_catalog.pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
    JOIN pg_catalog.pg_namespace AS sn ON sn.oid = s.relnamespace
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.refobjsubid > 0
        AND d.deptype IN ('a', 'i')
    ORDER BY d.refobjid, d.refobjsubid, s.oid
) AS sequence ON sequence.relid = c.oid AND sequence.attnum = a.attnum
WHERE k.contype = 'p'
    AND pg_catalog.cardinality(k.conkey) = 1
    AND NOT c.relispartition
    AND a.atttypid IN ('pg_catalog.int2'::pg_catalog.regtype, 'pg_catalog.int4'::pg_catalog.regtype)
    AND n.nspname !~ '^pg_'
    AND n.nspname <> 'information_schema'
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS d
        WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
            AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
    )
ORDER BY rows DESC, 1, 2;
