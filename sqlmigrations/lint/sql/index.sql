-- An index by its name: whether it can be used, its table, the constraint that it backs, and the foreign keys of
-- other tables that need it.
SELECT pg_index.indisvalid AS is_valid, pg_index.indexrelid AS oid, tables.nspname AS schema, tables.relname AS "table",
       backed.conname AS "constraint", backed.contype::text AS constraint_type,
       (SELECT array_agg(ARRAY[n.nspname, c.relname, k.conname]::text[] ORDER BY k.conname)
          FROM pg_catalog.pg_constraint AS k
          JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE k.conindid = pg_index.indexrelid AND k.contype = 'f' AND k.conparentid = 0) AS foreign_keys,
       (SELECT array_agg(a.attname::text ORDER BY a.attnum)
          FROM pg_catalog.pg_attribute AS a
         WHERE a.attrelid = pg_index.indrelid AND a.attnum = ANY (pg_index.indkey) AND NOT a.attnotnull) AS nullable
  FROM pg_catalog.pg_index
  JOIN pg_catalog.pg_class AS own ON own.oid = pg_index.indexrelid
  JOIN pg_catalog.pg_namespace AS own_schema ON own_schema.oid = own.relnamespace
  JOIN (
    SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  ) AS tables ON tables.oid = pg_index.indrelid
  LEFT JOIN pg_catalog.pg_constraint AS backed
    ON backed.conindid = pg_index.indexrelid AND backed.contype IN ('p', 'u', 'x')
 WHERE own.relname = %(name)s
   AND CASE WHEN %(schema)s = '' THEN pg_catalog.pg_table_is_visible(own.oid) ELSE own_schema.nspname = %(schema)s END
