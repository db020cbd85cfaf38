-- Tables, partitions, foreign tables, views and materialized views.
SELECT c.oid,
       0 AS subid,
       CASE c.relkind
           WHEN 'v' THEN 'view'
           WHEN 'm' THEN 'materialized view'
           WHEN 'f' THEN 'foreign table'
           ELSE 'table'
       END AS kind,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS name,
       pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
       CASE WHEN c.relpersistence = 'u' THEN 'unlogged' END AS persistence,
       CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END AS partition_key,
       CASE WHEN c.relispartition THEN parents.names[1] END AS partition_of,
       CASE WHEN c.relispartition THEN pg_catalog.pg_get_expr(c.relpartbound, c.oid) END AS partition_bound,
       CASE WHEN NOT c.relispartition THEN parents.names END AS inherits,
       CASE WHEN c.reloftype <> 0 THEN pg_catalog.format_type(c.reloftype, NULL) END AS of_type,
       CASE WHEN c.reloptions IS NOT NULL OR toast.reloptions IS NOT NULL THEN
           ARRAY(SELECT o FROM unnest(c.reloptions) o
                  UNION ALL
                 SELECT 'toast.' || o FROM unnest(toast.reloptions) o
                  ORDER BY 1)
       END AS options,
       CASE CASE WHEN c.relkind IN ('r', 'p') THEN c.relreplident END
           WHEN 'n' THEN 'nothing'
           WHEN 'f' THEN 'full'
           WHEN 'i' THEN 'index ' || coalesce(
               (SELECT pg_catalog.quote_ident(ic.relname)
                  FROM pg_catalog.pg_index i
                  JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
                 WHERE i.indrelid = c.oid AND i.indisreplident),
               'that was dropped')
       END AS replica_identity,
       nullif(c.relrowsecurity, false) AS row_security,
       nullif(c.relforcerowsecurity, false) AS force_row_security,
       CASE WHEN am.amname <> 'heap' THEN am.amname::text END AS access_method,
       ts.spcname::text AS tablespace,
       CASE WHEN c.relkind = 'm' AND NOT c.relispopulated THEN false END AS populated,
       s.srvname::text AS server,
       CASE WHEN ft.ftoptions IS NOT NULL THEN ARRAY(SELECT o FROM unnest(ft.ftoptions) o ORDER BY 1) END
           AS server_options,
       CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END AS definition
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_class toast ON toast.oid = c.reltoastrelid
  LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
  LEFT JOIN pg_catalog.pg_tablespace ts ON ts.oid = c.reltablespace
  LEFT JOIN pg_catalog.pg_foreign_table ft ON ft.ftrelid = c.oid
  LEFT JOIN pg_catalog.pg_foreign_server s ON s.oid = ft.ftserver
  LEFT JOIN (
           SELECT inh.inhrelid,
                  pg_catalog.array_agg(pg_catalog.quote_ident(pn.nspname) || '.' || pg_catalog.quote_ident(p.relname)
                                       ORDER BY inh.inhseqno) AS names
             FROM pg_catalog.pg_inherits inh
             JOIN pg_catalog.pg_class p ON p.oid = inh.inhparent
             JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
            GROUP BY inh.inhrelid
       ) parents ON parents.inhrelid = c.oid
 WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm')
   AND n.nspname !~ '^(pg_|information_schema$)'
   AND (%(schemas)s::text[] IS NULL OR n.nspname = ANY (%(schemas)s::text[]))
   AND (%(relations)s::oid[] IS NULL OR c.oid = ANY (%(relations)s::oid[]))
   AND NOT starts_with(c.relname, 'sqlmigrations_')
   AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_depend e
            WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
       )
