-- Extended statistics.
SELECT s.oid,
       0 AS subid,
       'statistics' AS kind,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(s.stxname) AS name,
       pg_catalog.quote_ident(tn.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS "table",
       pg_catalog.pg_get_userbyid(s.stxowner)::text AS owner,
       nullif(s.stxstattarget, -1)::int AS target,
       ARRAY(SELECT pg_catalog.quote_ident(att.attname)
               FROM unnest(s.stxkeys::int2[]) AS key (attnum)
               JOIN pg_catalog.pg_attribute att ON att.attrelid = s.stxrelid AND att.attnum = key.attnum
              ORDER BY 1) AS columns,
       pg_catalog.pg_get_statisticsobjdef(s.oid) AS definition
  FROM pg_catalog.pg_statistic_ext s
  JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
  JOIN pg_catalog.pg_class c ON c.oid = s.stxrelid
  JOIN pg_catalog.pg_namespace tn ON tn.oid = c.relnamespace
 WHERE n.nspname !~ '^(pg_|information_schema$)'
   AND (%(schemas)s::text[] IS NULL OR n.nspname = ANY (%(schemas)s::text[]))
   AND (%(relations)s::oid[] IS NULL OR s.stxrelid = ANY (%(relations)s::oid[]))
   AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_depend e
            WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
       )
