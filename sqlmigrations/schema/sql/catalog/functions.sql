-- Functions and procedures. Their arguments tell overloaded ones apart.
SELECT p.oid,
       0 AS subid,
       CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END AS kind,
       p.oid::regprocedure::text AS name,
       pg_catalog.pg_get_userbyid(p.proowner)::text AS owner,
       lang.lanname::text AS language,
       pg_catalog.pg_get_function_arguments(p.oid) AS arguments,
       pg_catalog.pg_get_function_result(p.oid) AS returns,
       CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END AS volatility,
       CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' ELSE 'unsafe' END AS parallel,
       CASE WHEN p.prosecdef THEN 'definer' ELSE 'invoker' END AS security,
       nullif(p.proleakproof, false) AS leakproof,
       nullif(p.proisstrict, false) AS strict,
       p.procost AS cost,
       nullif(p.prorows, 0) AS rows,
       CASE WHEN p.prosupport <> 0 THEN p.prosupport::text END AS support,
       CASE WHEN p.proconfig IS NOT NULL THEN ARRAY(SELECT o FROM unnest(p.proconfig) o ORDER BY 1) END AS settings,
       coalesce(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc) AS body,
       pg_catalog.pg_get_functiondef(p.oid) AS definition
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_catalog.pg_language lang ON lang.oid = p.prolang
 WHERE p.prokind IN ('f', 'p', 'w')
   AND n.nspname !~ '^(pg_|information_schema$)'
   AND (%(schemas)s::text[] IS NULL OR n.nspname = ANY (%(schemas)s::text[]))
   AND NOT starts_with(p.proname, 'sqlmigrations_')
   AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_depend e
            WHERE e.classid = 'pg_catalog.pg_proc'::regclass AND e.objid = p.oid AND e.deptype IN ('e', 'i')
       )
