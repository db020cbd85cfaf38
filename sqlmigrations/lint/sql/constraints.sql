-- The constraints of a table and the foreign keys that point to it.
SELECT k.conname AS name, k.contype::text AS type, k.condeferred AS is_deferred, k.convalidated AS is_validated,
       k.conrelid = %(table)s AS is_own, own_schema.nspname AS schema, own.relname AS "table",
       other_schema.nspname AS other_schema, other.relname AS other,
       pg_catalog.pg_get_constraintdef(k.oid) AS definition
  FROM pg_catalog.pg_constraint AS k
  JOIN pg_catalog.pg_class AS own ON own.oid = k.conrelid
  JOIN pg_catalog.pg_namespace AS own_schema ON own_schema.oid = own.relnamespace
  LEFT JOIN pg_catalog.pg_class AS other ON other.oid = k.confrelid
  LEFT JOIN pg_catalog.pg_namespace AS other_schema ON other_schema.oid = other.relnamespace
 WHERE (k.conrelid = %(table)s OR k.confrelid = %(table)s) AND k.conparentid = 0
 ORDER BY k.conname
