-- Settings that lose data or that keep the server from telling what is slow, and those that wait for a restart. The
-- value is the one that a new session begins with; ours has settings of its own.
SELECT
    s.name,
    s.reset_val AS value,
    s.context = 'postmaster' AS needs_restart,
    s.pending_restart
FROM pg_catalog.pg_settings AS s
WHERE s.pending_restart
    OR s.name IN (
        'auto_explain.log_min_duration',
        'data_checksums',
        'fsync',
        'full_page_writes',
        'ignore_checksum_failure',
        'ignore_invalid_pages',
        'log_lock_waits',
        'log_min_duration_sample',
        'log_min_duration_statement',
        'password_encryption',
        'synchronous_commit',
        'track_io_timing',
        'zero_damaged_pages'
    )
ORDER BY s.name;
