-- As collation_version.sql, for a server that keeps no version of the database's own collation.
SELECT
    'collation' AS kind,
    n.nspname::pg_catalog.text AS schema,
    c.collname::pg_catalog.text AS name,
    c.collversion AS recorded,
    pg_catalog.pg_collation_actual_version(c.oid) AS actual
FROM pg_catalog.pg_collation AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.collnamespace
WHERE c.collversion IS NOT NULL
    AND c.oid IN (
        SELECT a.attcollation
        FROM pg_catalog.pg_attribute AS a
        JOIN pg_catalog.pg_class AS t ON t.oid = a.attrelid
        WHERE t.oid >= 16384
            AND t.relkind IN ('r', 'p', 'm', 'i', 'I')
            -- The default one, which most columns have, has no version of its own.
            AND a.attcollation IN (SELECT v.oid FROM pg_catalog.pg_collation AS v WHERE v.collversion IS NOT NULL)
    )
ORDER BY 1, 2, 3;
