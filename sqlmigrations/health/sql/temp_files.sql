-- Temporary files that queries of this database have written since the counters began, because work_mem was too small.
SELECT
    d.datname::pg_catalog.text AS name,
    d.temp_files AS files,
    d.temp_bytes AS bytes,
    (SELECT s.reset_val::pg_catalog.int8 * 1024 FROM pg_catalog.pg_settings AS s WHERE s.name = 'work_mem') AS work_mem
FROM pg_catalog.pg_stat_database AS d
WHERE d.datname = pg_catalog.current_database();
