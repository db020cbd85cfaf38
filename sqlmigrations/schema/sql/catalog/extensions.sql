-- Extensions with their versions; what belongs to one is not read.
SELECT x.oid,
       0 AS subid,
       'extension' AS kind,
       pg_catalog.quote_ident(x.extname) AS name,
       pg_catalog.pg_get_userbyid(x.extowner)::text AS owner,
       x.extversion AS version,
       pg_catalog.quote_ident(n.nspname) AS schema
  FROM pg_catalog.pg_extension x
  JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace
