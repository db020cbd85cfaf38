-- Checkpoints that were due, and those that came early, on a server whose background writer counts them.
SELECT
    b.checkpoints_timed AS timed,
    b.checkpoints_req AS requested,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - b.stats_reset) AS seconds,
    (
        SELECT s.setting::pg_catalog.int8 * 1024 * 1024 FROM pg_catalog.pg_settings AS s WHERE s.name = 'max_wal_size'
    ) AS max_wal_bytes
FROM pg_catalog.pg_stat_bgwriter AS b;
