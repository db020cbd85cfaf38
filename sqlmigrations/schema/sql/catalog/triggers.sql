-- Triggers, constraint triggers included; not those behind foreign keys, nor those that a partition has from its parent.
SELECT t.oid,
       0 AS subid,
       'trigger' AS kind,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) || '.'
           || pg_catalog.quote_ident(t.tgname) AS name,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS "table",
       CASE t.tgenabled
           WHEN 'D' THEN 'disabled'
           WHEN 'R' THEN 'on replicas only'
           WHEN 'A' THEN 'always'
           ELSE 'enabled'
       END AS state,
       t.tgfoid::regprocedure::text AS function,
       pg_catalog.pg_get_triggerdef(t.oid) AS definition
  FROM pg_catalog.pg_trigger t
  JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT t.tgisinternal
   AND t.tgparentid = 0
   AND n.nspname !~ '^(pg_|information_schema$)'
   AND (%(schemas)s::text[] IS NULL OR n.nspname = ANY (%(schemas)s::text[]))
   AND (%(relations)s::oid[] IS NULL OR t.tgrelid = ANY (%(relations)s::oid[]))
   AND NOT starts_with(c.relname, 'sqlmigrations_')
   AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_depend e
            WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
       )
   AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_depend e
            WHERE e.classid = 'pg_catalog.pg_trigger'::regclass AND e.objid = t.oid AND e.deptype = 'e'
       )
