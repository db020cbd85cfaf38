-- The schema in which the search_path finds each table; nothing for one that isn't there.
SELECT name, n.nspname::text
  FROM unnest(%(names)s::text[]) AS name
  LEFT JOIN pg_catalog.pg_class AS c ON c.oid = pg_catalog.to_regclass(pg_catalog.quote_ident(name))
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace;
