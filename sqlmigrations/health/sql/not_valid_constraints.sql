-- Constraints that PostgreSQL does not take for true of all rows: NOT VALID ones and, from 18 on, NOT ENFORCED ones
-- (whose column is read through JSON, since older servers don't have it); those of domains too, which stand where others
-- have their table. All that are well are told together, by their number.
WITH own AS MATERIALIZED (
    SELECT k.oid, n.nspname, k.convalidated AS is_valid
    FROM pg_catalog.pg_constraint AS k
    JOIN pg_catalog.pg_namespace AS n ON n.oid = k.connamespace
    WHERE k.contype IN ('c', 'f', 'n')
        AND k.conparentid = 0
        AND k.coninhcount = 0
        AND (k.conrelid <> 0 OR k.contype = 'c')
        AND n.nspname !~ '^pg_'
        AND n.nspname <> 'information_schema'
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend AS d
            WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
                AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = k.conrelid
        )
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend AS d
            WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
                AND d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.objid = k.contypid
        )
)
SELECT
    own.nspname::pg_catalog.text AS schema,
    coalesce(c.relname, t.typname)::pg_catalog.text AS "table",
    k.conname::pg_catalog.text AS name,
    k.contype::pg_catalog.text AS type,
    k.contypid <> 0 AS is_of_domain,
    false AS is_valid,
    coalesce((pg_catalog.to_jsonb(k) ->> 'conenforced')::pg_catalog.bool, true) AS is_enforced,
    1::pg_catalog.int8 AS things
FROM own
JOIN pg_catalog.pg_constraint AS k ON k.oid = own.oid
LEFT JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
LEFT JOIN pg_catalog.pg_type AS t ON t.oid = k.contypid
WHERE NOT own.is_valid
UNION ALL
SELECT '', '', '', '', false, true, true, pg_catalog.count(*)
FROM own
WHERE own.is_valid
ORDER BY 1, 2, 3;
