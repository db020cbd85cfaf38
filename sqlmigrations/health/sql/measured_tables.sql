-- Tables with all that belongs to them but their indexes, and how often each was read. Those of partitions stand for
-- themselves.
SELECT
    n.nspname::pg_catalog.text AS schema,
    c.relname::pg_catalog.text AS name,
    coalesce(pg_catalog.pg_table_size(c.oid), 0) AS bytes,
    greatest(c.reltuples, s.n_live_tup, 0)::pg_catalog.int8 AS rows,
    coalesce(s.seq_scan, 0) AS scans,
    coalesce(s.idx_scan, 0) AS index_scans
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_stat_all_tables AS s ON s.relid = c.oid
WHERE c.relkind IN ('r', 'm')
    AND c.relpersistence <> 't'
    AND n.nspname !~ '^pg_'
    AND n.nspname <> 'information_schema';
