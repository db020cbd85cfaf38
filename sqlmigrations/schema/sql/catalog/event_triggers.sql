-- Event triggers but those of our own log.
SELECT et.oid,
       0 AS subid,
       'event trigger' AS kind,
       pg_catalog.quote_ident(et.evtname) AS name,
       pg_catalog.pg_get_userbyid(et.evtowner)::text AS owner,
       et.evtevent::text AS event,
       CASE WHEN et.evttags IS NOT NULL THEN ARRAY(SELECT tag FROM unnest(et.evttags) tag ORDER BY 1) END AS tags,
       et.evtfoid::regprocedure::text AS function,
       CASE et.evtenabled
           WHEN 'D' THEN 'disabled'
           WHEN 'R' THEN 'on replicas only'
           WHEN 'A' THEN 'always'
           ELSE 'enabled'
       END AS state
  FROM pg_catalog.pg_event_trigger et
 WHERE NOT starts_with(et.evtname, 'sqlmigrations_')
   AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_depend e
            WHERE e.classid = 'pg_catalog.pg_event_trigger'::regclass AND e.objid = et.oid AND e.deptype = 'e'
       )
