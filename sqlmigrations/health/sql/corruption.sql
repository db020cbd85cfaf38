-- What amcheck can examine: B-tree indexes with all rows of their tables, and tables themselves, the smallest first. Each
-- is then examined alone, under AccessShare:
--   SELECT bt_index_check('index'::regclass, true);  SELECT * FROM verify_heapam('table'::regclass);
SELECT
    CASE c.relkind WHEN 'i' THEN 'index' ELSE 'table' END AS kind,
    c.oid::pg_catalog.int8 AS oid,
    n.nspname::pg_catalog.text AS schema,
    coalesce(t.relname, c.relname)::pg_catalog.text AS "table",
    CASE c.relkind WHEN 'i' THEN c.relname ELSE '' END::pg_catalog.text AS name,
    pg_catalog.pg_relation_size(c.oid) + CASE c.relkind WHEN 'i' THEN pg_catalog.pg_relation_size(t.oid) ELSE 0 END AS bytes
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_am AS am ON am.oid = c.relam
LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
LEFT JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
WHERE c.relpersistence <> 't'
    AND n.nspname !~ '^pg_'
    AND n.nspname <> 'information_schema'
    AND (
        (c.relkind = 'i' AND am.amname = 'btree' AND i.indisvalid AND i.indisready AND i.indislive)
        OR (c.relkind IN ('r', 'm') AND am.amname = 'heap')
    )
    -- Unlogged relations have no contents on a standby.
    AND NOT (c.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery())
ORDER BY bytes, schema, "table", name;
