-- Foreign servers. What logs users in is kept in user mappings, which are not read.
SELECT s.oid,
       0 AS subid,
       'server' AS kind,
       pg_catalog.quote_ident(s.srvname) AS name,
       pg_catalog.pg_get_userbyid(s.srvowner)::text AS owner,
       pg_catalog.quote_ident(w.fdwname) AS wrapper,
       s.srvtype AS type,
       s.srvversion AS version,
       CASE WHEN s.srvoptions IS NOT NULL THEN ARRAY(SELECT o FROM unnest(s.srvoptions) o ORDER BY 1) END AS options
  FROM pg_catalog.pg_foreign_server s
  JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw
 WHERE NOT EXISTS (
           SELECT FROM pg_catalog.pg_depend e
            WHERE e.classid = 'pg_catalog.pg_foreign_server'::regclass AND e.objid = s.oid AND e.deptype = 'e'
       )
