-- The collation that the database was made with, and those that columns and indexes name, each with the version that
-- the operating system's library has today. The order of texts may have changed: indexes made before are then wrong.
SELECT
    'database' AS kind,
    '' AS schema,
    d.datname::pg_catalog.text AS name,
    d.datcollversion AS recorded,
    pg_catalog.pg_database_collation_actual_version(d.oid) AS actual
FROM pg_catalog.pg_database AS d
WHERE d.datname = pg_catalog.current_database()
    AND d.datcollversion IS NOT NULL
UNION ALL
SELECT
    'collation',
    n.nspname::pg_catalog.text,
    c.collname::pg_catalog.text,
    c.collversion,
    pg_catalog.pg_collation_actual_version(c.oid)
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
