-- The sessions of this database, our own left out: what each does, since when, and for whom it waits. A role without
-- pg_read_all_stats sees its own sessions only; of others there is no more than who they are.
WITH waiting AS (
    SELECT DISTINCT ON (l.pid)
        l.pid,
        l.mode,
        l.waitstart AS since,
        coalesce(l.relation::pg_catalog.regclass::pg_catalog.text, l.locktype) AS what
    FROM pg_catalog.pg_locks AS l
    WHERE NOT l.granted
    ORDER BY l.pid
)
SELECT
    a.pid,
    a.usename::pg_catalog.text AS role,
    a.application_name AS application,
    a.state,
    -- What others run is hidden from a role that may not see it, and so is what kind of session it is.
    a.state IS NULL AND a.backend_type IS NULL AS is_hidden,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - a.xact_start) AS transaction_seconds,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - a.query_start) AS query_seconds,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - a.state_change) AS state_seconds,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - waiting.since) AS waiting_seconds,
    CASE WHEN waiting.pid IS NULL THEN '{}' ELSE pg_catalog.pg_blocking_pids(a.pid) END AS blocked_by,
    waiting.mode AS lock_mode,
    waiting.what AS lock_target,
    pg_catalog.left(pg_catalog.regexp_replace(pg_catalog.btrim(a.query), '\s+', ' ', 'g'), 200) AS query
FROM pg_catalog.pg_stat_activity AS a
LEFT JOIN waiting ON waiting.pid = a.pid
WHERE a.datname = pg_catalog.current_database()
    AND a.pid <> pg_catalog.pg_backend_pid()
    AND coalesce(a.backend_type, 'client backend') = 'client backend'
    AND a.leader_pid IS NULL
    AND a.usename IS NOT NULL
ORDER BY a.xact_start NULLS LAST, a.pid;
