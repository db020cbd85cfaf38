-- Since when the counters of this database run: the latest of all resets. A crash throws every counter away, and shows
-- only in the resets of the whole server; those of the database stay what they were, or NULL.
SELECT
    greatest(d.stats_reset, b.stats_reset, c.stats_reset) AS since,
    pg_catalog.date_part(
        'epoch', pg_catalog.clock_timestamp() - greatest(d.stats_reset, b.stats_reset, c.stats_reset)
    ) AS seconds
FROM pg_catalog.pg_stat_database AS d
CROSS JOIN pg_catalog.pg_stat_bgwriter AS b
CROSS JOIN pg_catalog.pg_stat_checkpointer AS c
WHERE d.datname = pg_catalog.current_database();
