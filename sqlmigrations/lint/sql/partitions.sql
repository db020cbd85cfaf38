-- The DEFAULT partition of a table.
SELECT n.nspname AS schema, c.relname AS name
  FROM pg_catalog.pg_partitioned_table AS p
  JOIN pg_catalog.pg_class AS c ON c.oid = p.partdefid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE p.partrelid = %(table)s
