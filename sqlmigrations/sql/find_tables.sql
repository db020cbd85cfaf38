-- The schema of the history's tables (NULL while there are none), the one that new tables would go to,
-- whether Django has its own table of migrations, whether there is one for reports that are kept, and the DDL log,
-- and whether anything was ever logged: a table without a byte has no rows.
SELECT (SELECT n.nspname
          FROM pg_catalog.pg_class c
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.oid = pg_catalog.to_regclass('sqlmigrations_migrationrecord')
           AND pg_catalog.to_regclass('sqlmigrations_migrationevent') IS NOT NULL),
       pg_catalog.current_schema(),
       pg_catalog.to_regclass('django_migrations') IS NOT NULL,
       pg_catalog.to_regclass('sqlmigrations_report') IS NOT NULL,
       EXISTS (SELECT FROM pg_catalog.pg_event_trigger WHERE evtname = 'sqlmigrations_log_command'),
       coalesce(pg_catalog.pg_relation_size(pg_catalog.to_regclass('sqlmigrations_schemachange')), 0) > 0
