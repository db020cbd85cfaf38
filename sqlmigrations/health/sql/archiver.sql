-- Whether the archiving of WAL is on, when it last worked and when it last failed.
SELECT
    pg_catalog.current_setting('archive_mode') AS mode,
    pg_catalog.current_setting('archive_mode') = 'always'
    OR (pg_catalog.current_setting('archive_mode') = 'on' AND NOT pg_catalog.pg_is_in_recovery()) AS is_on,
    a.archived_count,
    a.failed_count,
    a.last_archived_wal,
    a.last_failed_wal,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - a.last_archived_time) AS archived_seconds,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - a.last_failed_time) AS failed_seconds,
    coalesce(a.last_failed_time > coalesce(a.last_archived_time, '-infinity'), false) AS is_failing
FROM pg_catalog.pg_stat_archiver AS a;
