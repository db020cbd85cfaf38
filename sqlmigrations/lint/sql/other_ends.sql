-- The other tables of the foreign keys that a column is part of, whichever end it is.
SELECT DISTINCT n.nspname AS schema, c.relname AS name
  FROM pg_catalog.pg_attribute AS a
  JOIN pg_catalog.pg_constraint AS k
    ON k.contype = 'f' AND k.conparentid = 0
   AND (k.conrelid = a.attrelid AND a.attnum = ANY (k.conkey) OR k.confrelid = a.attrelid AND a.attnum = ANY (k.confkey))
  JOIN pg_catalog.pg_class AS c ON c.oid IN (k.conrelid, k.confrelid) AND c.oid <> a.attrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE a.attrelid = %(table)s AND a.attname = %(column)s
 ORDER BY 1, 2
