-- What this server, this database and this role can do, asked of the catalog, never derived from a version number.
SELECT
    pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS server_version,
    CURRENT_USER::pg_catalog.text AS role,
    pg_catalog.pg_is_in_recovery() AS is_standby,
    (SELECT r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.rolname = CURRENT_USER) AS is_superuser,
    (
        SELECT coalesce(
            pg_catalog.jsonb_object_agg(e.extname, pg_catalog.jsonb_build_array(n.nspname, e.extversion)), '{}'
        )
        FROM pg_catalog.pg_extension AS e
        JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
    ) AS extensions,
    ARRAY(
        SELECT pg_catalog.concat(c.relname, '.', a.attname)
        FROM pg_catalog.pg_class AS c
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
        WHERE c.relkind IN ('v', 'r')
            AND a.attnum > 0
            AND (
                c.relnamespace = 'pg_catalog'::pg_catalog.regnamespace
                OR EXISTS (
                    SELECT FROM pg_catalog.pg_depend AS d
                    JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
                    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                        AND d.objid = c.oid
                        AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
                        AND d.deptype = 'e'
                        AND e.extname = 'pg_stat_statements'
                )
            )
        ORDER BY 1
    ) AS columns;
