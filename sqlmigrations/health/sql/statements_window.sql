-- Since when pg_stat_statements counts, and how often it had no room and forgot the statements that are called least.
SELECT
    i.dealloc AS evictions,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - i.stats_reset) AS seconds
FROM pg_stat_statements_info AS i;
