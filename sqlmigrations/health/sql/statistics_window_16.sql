-- Since when the counters of this database run, on a server whose background writer counts checkpoints.
SELECT
    greatest(d.stats_reset, b.stats_reset) AS since,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - greatest(d.stats_reset, b.stats_reset)) AS seconds
FROM pg_catalog.pg_stat_database AS d
CROSS JOIN pg_catalog.pg_stat_bgwriter AS b
WHERE d.datname = pg_catalog.current_database();
