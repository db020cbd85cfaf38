-- Materialized views, the transaction that refreshed each last, and what has changed since the counters began in the
-- tables that it reads, through other views too. PostgreSQL keeps no time of a REFRESH, but each one writes the view's own
-- row of pg_class anew; with track_commit_timestamp on, the time of that transaction is known.
WITH RECURSIVE reads (matview, relid) AS (
    SELECT c.oid, c.oid
    FROM pg_catalog.pg_class AS c
    WHERE c.relkind = 'm'
    UNION
    SELECT reads.matview, d.refobjid
    FROM reads
    JOIN pg_catalog.pg_rewrite AS r ON r.ev_class = reads.relid
    JOIN pg_catalog.pg_depend AS d
        ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
        AND d.objid = r.oid
        AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.refobjid <> reads.relid
),
-- Of a partitioned table its partitions.
source AS (
    SELECT DISTINCT reads.matview, coalesce(part.relid::pg_catalog.oid, reads.relid) AS relid
    FROM reads
    LEFT JOIN LATERAL pg_catalog.pg_partition_tree(reads.relid) AS part ON true
    WHERE reads.relid <> reads.matview
)
SELECT
    n.nspname::pg_catalog.text AS schema,
    c.relname::pg_catalog.text AS "table",
    c.relname::pg_catalog.text AS name,
    c.xmin::pg_catalog.text::pg_catalog.int8 AS refreshed_by,
    CASE
        WHEN pg_catalog.current_setting('track_commit_timestamp')::pg_catalog.bool
            THEN pg_catalog.pg_xact_commit_timestamp(c.xmin)
    END AS refreshed_at,
    pg_catalog.clock_timestamp() AS now,
    coalesce(pg_catalog.sum(s.n_tup_ins + s.n_tup_upd + s.n_tup_del), 0)::pg_catalog.int8 AS changes,
    coalesce(pg_catalog.sum(greatest(s.n_live_tup, t.reltuples::pg_catalog.int8, 0)), 0)::pg_catalog.int8 AS rows
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN source ON source.matview = c.oid
LEFT JOIN pg_catalog.pg_class AS t ON t.oid = source.relid AND t.relkind = 'r'
LEFT JOIN pg_catalog.pg_stat_all_tables AS s ON s.relid = t.oid
WHERE c.relkind = 'm'
    AND c.relispopulated
    AND n.nspname !~ '^pg_'
GROUP BY c.oid, n.nspname, c.relname, c.xmin
ORDER BY 1, 2;
