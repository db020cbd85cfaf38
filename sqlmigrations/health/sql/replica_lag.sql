-- The standbys of this server, and how far behind each is: in bytes of WAL, and in time. On a standby: itself, seen
-- from its own side. Time counts only where something is left to replay: on an idle server it grows for ever.
SELECT
    'standby' AS kind,
    coalesce(nullif(r.application_name, ''), r.pid::pg_catalog.text) AS name,
    r.state,
    r.state IS NULL AS is_hidden,
    CASE
        WHEN pg_catalog.pg_is_in_recovery() THEN NULL
        ELSE pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), r.replay_lsn)
    END::pg_catalog.float8 AS bytes,
    pg_catalog.date_part('epoch', r.replay_lag) AS seconds,
    r.sync_state
FROM pg_catalog.pg_stat_replication AS r
WHERE coalesce(r.state, 'streaming') NOT IN ('backup')
UNION ALL
SELECT
    'server',
    'this standby',
    CASE
        WHEN pg_catalog.pg_is_wal_replay_paused() THEN 'paused'
        WHEN receiver.pid IS NULL THEN 'not streaming'
        -- A role without pg_read_all_stats sees that there is a receiver, and nothing else of it.
        ELSE coalesce(receiver.status, 'receiving')
    END,
    false,
    -- A receiver that has just begun begins with a whole file, before what was replayed long ago.
    greatest(
        pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn()), 0
    )::pg_catalog.float8,
    CASE
        WHEN pg_catalog.pg_last_wal_receive_lsn() <= pg_catalog.pg_last_wal_replay_lsn() THEN 0
        ELSE pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp())
    END,
    NULL
FROM (SELECT) AS here
LEFT JOIN pg_catalog.pg_stat_wal_receiver AS receiver ON true
WHERE pg_catalog.pg_is_in_recovery()
ORDER BY kind, bytes DESC NULLS LAST, name;
