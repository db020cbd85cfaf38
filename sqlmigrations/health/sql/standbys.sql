-- How many standbys read this server's WAL: queries that they answer are not counted here.
SELECT pg_catalog.count(*) AS standbys
FROM pg_catalog.pg_stat_replication AS r
WHERE coalesce(r.state, 'streaming') <> 'backup'
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_replication_slots AS s WHERE s.active_pid = r.pid AND s.slot_type = 'logical'
    );
