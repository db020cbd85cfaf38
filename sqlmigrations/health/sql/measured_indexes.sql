-- Indexes, their size and how often each was scanned. Those of partitions count as the one of the partitioned table.
SELECT
    n.nspname::pg_catalog.text AS schema,
    c.relname::pg_catalog.text AS name,
    whole.bytes,
    whole.scans
FROM (
    SELECT
        coalesce(pg_catalog.pg_partition_root(i.indexrelid)::pg_catalog.oid, i.indexrelid) AS oid,
        pg_catalog.sum(coalesce(pg_catalog.pg_relation_size(i.indexrelid), 0))::pg_catalog.int8 AS bytes,
        pg_catalog.sum(coalesce(s.idx_scan, 0))::pg_catalog.int8 AS scans
    FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_class AS leaf ON leaf.oid = i.indexrelid AND leaf.relkind = 'i' AND leaf.relpersistence <> 't'
    LEFT JOIN pg_catalog.pg_stat_all_indexes AS s ON s.indexrelid = i.indexrelid
    GROUP BY 1
) AS whole
JOIN pg_catalog.pg_class AS c ON c.oid = whole.oid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_'
    AND n.nspname <> 'information_schema';
