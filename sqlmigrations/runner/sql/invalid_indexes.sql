-- The INVALID indexes where a statement may have left some, each with the backend that is still at work on it:
-- those of a table (partitions and TOAST tables counted), of the table of an index, of a schema, or all.
WITH named AS (
    SELECT coalesce(i.indrelid, c.oid) AS relid
      FROM pg_catalog.pg_class c
      LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
     WHERE %(scope)s IN ('TABLE', 'INDEX')
       AND c.oid = pg_catalog.to_regclass(%(name)s)
     UNION
    SELECT c.oid
      FROM pg_catalog.pg_class c
     WHERE %(scope)s = 'SCHEMA'
       AND c.relnamespace = pg_catalog.to_regnamespace(%(name)s)
), tables AS (
    SELECT relid FROM named
     UNION
    SELECT tree.relid FROM named, pg_catalog.pg_partition_tree(named.relid) AS tree
), indexed AS (
    SELECT relid FROM tables
     UNION
    SELECT c.reltoastrelid FROM tables JOIN pg_catalog.pg_class c ON c.oid = tables.relid
)
SELECT n.nspname::text AS schema,
       c.relname::text AS name,
       i.indrelid::regclass::text AS "table",
       false AS valid,
       (SELECT p.pid
          FROM pg_catalog.pg_stat_progress_create_index p
         WHERE p.datname = pg_catalog.current_database()
           AND p.pid <> pg_catalog.pg_backend_pid()
           AND coalesce(p.index_relid IN (0, i.indexrelid) AND p.relid = i.indrelid, true)
         LIMIT 1) AS builder
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT (i.indisvalid AND i.indisready)
   AND c.relkind = 'i'
   AND (%(scope)s IN ('DATABASE', 'SYSTEM') OR i.indrelid IN (SELECT relid FROM indexed))
 ORDER BY 1, 2
