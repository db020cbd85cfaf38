-- How volatile the functions of a name are: 'v' when any is.
SELECT CASE WHEN bool_or(p.provolatile = 'v') THEN 'v' ELSE min(p.provolatile)::text END AS volatility
  FROM pg_catalog.pg_proc AS p
  JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
 WHERE p.proname = %(name)s
   AND CASE WHEN %(schema)s = '' THEN pg_catalog.pg_function_is_visible(p.oid) ELSE n.nspname = %(schema)s END
