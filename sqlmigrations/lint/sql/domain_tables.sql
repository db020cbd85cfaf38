-- The tables that have a column of a domain.
SELECT DISTINCT n.nspname AS schema, c.relname AS name
  FROM pg_catalog.pg_type AS t
  JOIN pg_catalog.pg_namespace AS own_schema ON own_schema.oid = t.typnamespace
  JOIN pg_catalog.pg_attribute AS a ON a.atttypid = t.oid AND NOT a.attisdropped
  JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'm')
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE t.typtype = 'd' AND t.typname = %(name)s
   AND CASE WHEN %(schema)s = '' THEN pg_catalog.pg_type_is_visible(t.oid) ELSE own_schema.nspname = %(schema)s END
 ORDER BY 1, 2
