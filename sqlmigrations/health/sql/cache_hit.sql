-- Of the pages of tables and of indexes that were asked for, how many were in PostgreSQL's memory. The operating
-- system's own cache is not known here.
SELECT
    'tables' AS name,
    coalesce(pg_catalog.sum(s.heap_blks_hit), 0)::pg_catalog.int8 AS hit,
    coalesce(pg_catalog.sum(s.heap_blks_read), 0)::pg_catalog.int8 AS read
FROM pg_catalog.pg_statio_user_tables AS s
UNION ALL
SELECT
    'indexes',
    coalesce(pg_catalog.sum(s.idx_blks_hit), 0)::pg_catalog.int8,
    coalesce(pg_catalog.sum(s.idx_blks_read), 0)::pg_catalog.int8
FROM pg_catalog.pg_statio_user_tables AS s
ORDER BY name;
