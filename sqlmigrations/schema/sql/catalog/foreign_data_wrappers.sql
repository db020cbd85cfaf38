-- Foreign-data wrappers that no extension brought.
SELECT w.oid,
       0 AS subid,
       'foreign data wrapper' AS kind,
       pg_catalog.quote_ident(w.fdwname) AS name,
       pg_catalog.pg_get_userbyid(w.fdwowner)::text AS owner,
       CASE WHEN w.fdwhandler <> 0 THEN w.fdwhandler::regproc::text END AS handler,
       CASE WHEN w.fdwvalidator <> 0 THEN w.fdwvalidator::regproc::text END AS validator,
       CASE WHEN w.fdwoptions IS NOT NULL THEN ARRAY(SELECT o FROM unnest(w.fdwoptions) o ORDER BY 1) END AS options
  FROM pg_catalog.pg_foreign_data_wrapper w
 WHERE NOT EXISTS (
           SELECT FROM pg_catalog.pg_depend e
            WHERE e.classid = 'pg_catalog.pg_foreign_data_wrapper'::regclass AND e.objid = w.oid AND e.deptype = 'e'
       )
