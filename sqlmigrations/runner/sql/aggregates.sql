-- The aggregates and window functions among functions of these names.
SELECT DISTINCT p.proname AS name
  FROM pg_catalog.pg_proc p
 WHERE p.proname = ANY (%(names)s::text[]) AND p.prokind IN ('a', 'w')
