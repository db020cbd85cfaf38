-- Rules, but those that make a view.
SELECT r.oid,
       0 AS subid,
       'rule' AS kind,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) || '.'
           || pg_catalog.quote_ident(r.rulename) AS name,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS "table",
       CASE r.ev_enabled
           WHEN 'D' THEN 'disabled'
           WHEN 'R' THEN 'on replicas only'
           WHEN 'A' THEN 'always'
           ELSE 'enabled'
       END AS state,
       pg_catalog.pg_get_ruledef(r.oid) AS definition
  FROM pg_catalog.pg_rewrite r
  JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE r.rulename <> '_RETURN'
   AND n.nspname !~ '^(pg_|information_schema$)'
   AND (%(schemas)s::text[] IS NULL OR n.nspname = ANY (%(schemas)s::text[]))
   AND (%(relations)s::oid[] IS NULL OR r.ev_class = ANY (%(relations)s::oid[]))
   AND NOT starts_with(c.relname, 'sqlmigrations_')
   AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_depend e
            WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
       )
