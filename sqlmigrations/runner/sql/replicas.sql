-- How far the write-ahead log is written, and how far the slowest replica has replayed it, in bytes; and how many
-- replicas this role may not look at. https://www.postgresql.org/docs/current/monitoring-stats.html
SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), '0/0')::bigint AS written,
       min(pg_catalog.pg_wal_lsn_diff(r.replay_lsn, '0/0')) FILTER (WHERE r.state IN ('streaming', 'catchup'))::bigint
           AS replayed,
       count(*) FILTER (WHERE r.state IS NULL) AS unseen
  FROM pg_catalog.pg_stat_replication r
