-- Schemas, and whether everybody may create objects in them: whoever does can put a function or a table in the way of
-- somebody else's search_path.
SELECT
    n.nspname::pg_catalog.text AS name,
    pg_catalog.has_schema_privilege('public', n.oid, 'CREATE') AS is_open
FROM pg_catalog.pg_namespace AS n
WHERE n.nspname !~ '^pg_'
    AND n.nspname <> 'information_schema'
ORDER BY is_open DESC, 1;
