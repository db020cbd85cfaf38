-- Checkpoints that were due, and those that came early since the WAL had grown too large (or were asked for).
SELECT
    c.num_timed AS timed,
    c.num_requested AS requested,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - c.stats_reset) AS seconds,
    (
        SELECT s.setting::pg_catalog.int8 * 1024 * 1024 FROM pg_catalog.pg_settings AS s WHERE s.name = 'max_wal_size'
    ) AS max_wal_bytes
FROM pg_catalog.pg_stat_checkpointer AS c;
