-- What a database holds of its own, in an order in which it can be dropped; plpgsql comes with every database.
SELECT kind, name
  FROM (
           SELECT 1 AS place, 'EVENT TRIGGER' AS kind, evtname::text AS name FROM pg_catalog.pg_event_trigger
            UNION ALL
           SELECT 2, 'PUBLICATION', pubname::text FROM pg_catalog.pg_publication
            UNION ALL
           SELECT 3, 'EXTENSION', extname::text FROM pg_catalog.pg_extension WHERE extname <> 'plpgsql'
            UNION ALL
           SELECT 4, 'FOREIGN DATA WRAPPER', fdwname::text FROM pg_catalog.pg_foreign_data_wrapper
            UNION ALL
           SELECT 5, 'SCHEMA', nspname::text
             FROM pg_catalog.pg_namespace
            WHERE nspname !~ '^(pg_|information_schema$)'
       ) held
 ORDER BY place, name;
