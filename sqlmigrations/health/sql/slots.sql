-- Replication slots: whether somebody reads each, and how much WAL it keeps. What newer servers add (since when it is
-- inactive, why it was invalidated) is read through JSON.
SELECT
    s.slot_name::pg_catalog.text AS name,
    s.slot_type AS type,
    s.active AS is_active,
    s.wal_status,
    s.safe_wal_size AS safe_bytes,
    CASE
        WHEN pg_catalog.pg_is_in_recovery()
            THEN pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_receive_lsn(), s.restart_lsn)
        ELSE pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), s.restart_lsn)
    END::pg_catalog.float8 AS kept_bytes,
    pg_catalog.date_part(
        'epoch',
        pg_catalog.clock_timestamp() - (pg_catalog.to_jsonb(s) ->> 'inactive_since')::pg_catalog.timestamptz
    ) AS inactive_seconds,
    pg_catalog.to_jsonb(s) ->> 'invalidation_reason' AS invalidated,
    (
        SELECT c.setting::pg_catalog.int8 * 1024 * 1024
        FROM pg_catalog.pg_settings AS c
        WHERE c.name = 'max_slot_wal_keep_size' AND c.setting <> '-1'
    ) AS limit_bytes
FROM pg_catalog.pg_replication_slots AS s
WHERE NOT s.temporary
ORDER BY kept_bytes DESC NULLS LAST, name;
