-- How many rows and bytes relations have as of the last VACUUM or ANALYZE. Their files are not looked at: that would
-- take a lock.
SELECT n.nspname || '.' || c.relname,
       greatest(c.reltuples, 0)::bigint,
       c.relpages::bigint * pg_catalog.current_setting('block_size')::bigint
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname || '.' || c.relname = ANY (%(names)s)
