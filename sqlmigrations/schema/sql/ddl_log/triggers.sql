-- The event triggers of the DDL log, and whether their function is as it was made and can write. xmin changes with
-- every ALTER EVENT TRIGGER; when that was is known where the server keeps the times of commits.
SELECT trg.evtname AS name,
       trg.evtevent AS event,
       trg.evtenabled::text AS enabled,
       trg.oid::text || ':' || trg.xmin::text AS mark,
       CASE WHEN pg_catalog.current_setting('track_commit_timestamp')::boolean
            THEN pg_catalog.pg_xact_commit_timestamp(trg.xmin)
       END AS altered_at,
       prc.prosrc AS source,
       prc.prosecdef AND prc.proconfig @> '{{"search_path=pg_catalog, pg_temp",lock_timeout=100ms}}' AS is_guarded,
       pg_catalog.pg_get_userbyid(prc.proowner)::text AS owner,
       pg_catalog.has_table_privilege(prc.proowner, {change}, 'INSERT')
           AND pg_catalog.has_table_privilege(prc.proowner, {event}, 'SELECT')
           AND pg_catalog.has_schema_privilege(prc.proowner, {schema}, 'USAGE') AS can_write
  FROM pg_catalog.pg_event_trigger trg
  JOIN pg_catalog.pg_proc prc ON prc.oid = trg.evtfoid
 WHERE trg.evtname IN ('sqlmigrations_log_command', 'sqlmigrations_log_drop')
 ORDER BY trg.evtname
