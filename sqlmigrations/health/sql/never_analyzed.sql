-- Tables with rows that the planner knows nothing of: never analysed since they were made or truncated, or without
-- statistics since an upgrade. Unlike the counters, these marks survive pg_stat_reset(). A partitioned table counts with
-- all that its partitions hold: the planner has statistics of the whole beside theirs.
SELECT
    n.nspname::pg_catalog.text AS schema,
    c.relname::pg_catalog.text AS "table",
    CASE
        WHEN c.reltuples <> -1 THEN 0
        WHEN c.relkind <> 'p' THEN pg_catalog.pg_relation_size(c.oid)
        ELSE (
            SELECT coalesce(pg_catalog.sum(pg_catalog.pg_relation_size(p.relid)), 0)::pg_catalog.int8
            FROM pg_catalog.pg_partition_tree(c.oid) AS p
            WHERE p.isleaf
        )
    END AS bytes,
    c.relkind = 'p' AS is_partitioned,
    c.reltuples = -1 AS is_unknown,
    EXISTS (
        SELECT FROM pg_catalog.pg_statistic_ext AS x WHERE x.stxrelid = c.oid
    ) AS has_extended
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE (c.relkind IN ('r', 'm') OR c.relkind = 'p' AND NOT c.relispartition)
    AND c.relpersistence <> 't'
    AND n.nspname !~ '^pg_'
    AND n.nspname <> 'information_schema'
ORDER BY is_unknown DESC, bytes DESC, 1, 2;
