-- Functions of amcheck that examine what is asked for, and whether this role may call them.
SELECT
    n.nspname::pg_catalog.text AS schema,
    p.proname::pg_catalog.text AS name,
    p.oid::pg_catalog.regprocedure::pg_catalog.text AS signature,
    pg_catalog.has_function_privilege(p.oid, 'EXECUTE') AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS is_allowed
FROM pg_catalog.pg_extension AS e
JOIN pg_catalog.pg_depend AS d
    ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
    AND d.refobjid = e.oid
    AND d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
    AND d.deptype = 'e'
JOIN pg_catalog.pg_proc AS p ON p.oid = d.objid
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
WHERE e.extname = 'amcheck'
    AND (p.proname = 'verify_heapam' OR (p.proname = 'bt_index_check' AND p.pronargs = 2))
ORDER BY p.proname;
