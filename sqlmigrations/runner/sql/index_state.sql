-- One index by name: whether it can be used, and who is still at work on it. The server shows the progress of other
-- roles' work without its relation: such a backend may be at work on this index, so it counts.
SELECT n.nspname::text AS schema,
       c.relname::text AS name,
       i.indrelid::regclass::text AS "table",
       i.indisvalid AND i.indisready AS valid,
       (SELECT p.pid
          FROM pg_catalog.pg_stat_progress_create_index p
         WHERE p.datname = pg_catalog.current_database()
           AND p.pid <> pg_catalog.pg_backend_pid()
           AND coalesce(p.index_relid IN (0, i.indexrelid) AND p.relid = i.indrelid, true)
         LIMIT 1) AS builder
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE i.indexrelid = pg_catalog.to_regclass(%(index)s)
