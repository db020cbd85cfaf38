-- Where autovacuum doesn't run: on the whole server, or for a table or its TOAST table.
SELECT
    'setting' AS kind,
    '' AS schema,
    '' AS "table",
    s.name,
    s.setting = 'off' AS is_off
FROM pg_catalog.pg_settings AS s
WHERE s.name IN ('autovacuum', 'track_counts')
UNION ALL
SELECT
    'table',
    n.nspname::pg_catalog.text,
    c.relname::pg_catalog.text,
    CASE WHEN option LIKE 'toast%' THEN 'toast.autovacuum_enabled' ELSE 'autovacuum_enabled' END,
    coalesce(pg_catalog.lower(pg_catalog.split_part(option, '=', 2)) IN ('false', 'off', 'no', '0', 'f', 'n'), false)
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_class AS t ON t.oid = c.reltoastrelid
LEFT JOIN LATERAL (
    SELECT own AS option FROM pg_catalog.unnest(c.reloptions) AS own WHERE own LIKE 'autovacuum\_enabled=%'
    UNION ALL
    SELECT pg_catalog.concat('toast.', own)
    FROM pg_catalog.unnest(t.reloptions) AS own
    WHERE own LIKE 'autovacuum\_enabled=%'
) AS options ON true
WHERE c.relkind IN ('r', 'm')
    AND c.relpersistence <> 't'
    AND n.nspname !~ '^pg_'
    AND n.nspname <> 'information_schema'
ORDER BY is_off DESC, 1, 2, 3, 4;
