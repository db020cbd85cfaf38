-- Pages of each database that were not what was written; NULL where the server keeps no checksums. Objects that belong
-- to no database are the one without a name.
SELECT
    coalesce(s.datname, '')::pg_catalog.text AS name,
    s.checksum_failures AS failures,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - s.checksum_last_failure) AS seconds
FROM pg_catalog.pg_stat_database AS s
WHERE s.checksum_failures IS NOT NULL
ORDER BY 1;
