-- Installed extensions with the version that the server would install today.
SELECT
    e.extname::pg_catalog.text AS name,
    e.extversion AS installed,
    coalesce(a.default_version, '') AS available,
    a.default_version IS NULL OR a.default_version = e.extversion AS is_current,
    pg_catalog.count(u.target) > 0 AS can_update
FROM pg_catalog.pg_extension AS e
LEFT JOIN pg_catalog.pg_available_extensions AS a ON a.name = e.extname
LEFT JOIN LATERAL pg_catalog.pg_extension_update_paths(e.extname) AS u (source, target, path)
    ON u.source = e.extversion AND u.target = a.default_version AND u.path IS NOT NULL
GROUP BY e.extname, e.extversion, a.default_version
ORDER BY is_current, 1;
