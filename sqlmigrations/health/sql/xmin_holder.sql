-- Who keeps vacuum from removing dead rows: the oldest row version that each of them may still want to see, in
-- transactions. A role without pg_read_all_stats sees its own sessions only.
SELECT
    'session' AS kind,
    a.pid::pg_catalog.text AS name,
    pg_catalog.concat_ws(', ', a.usename, nullif(a.application_name, ''), a.state) AS who,
    pg_catalog.age(coalesce(a.backend_xmin, a.backend_xid))::pg_catalog.int8 AS age,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - a.xact_start) AS seconds,
    a.state IS NULL AND a.backend_type IS NULL AS is_hidden
FROM pg_catalog.pg_stat_activity AS a
WHERE a.pid <> pg_catalog.pg_backend_pid()
    AND a.datname = pg_catalog.current_database()
    AND coalesce(a.backend_type, 'client backend') <> 'autovacuum worker'
    AND a.leader_pid IS NULL
    AND a.usename IS NOT NULL
UNION ALL
SELECT
    'prepared transaction',
    p.gid,
    p.owner::pg_catalog.text,
    pg_catalog.age(p.transaction),
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - p.prepared),
    false
FROM pg_catalog.pg_prepared_xacts AS p
WHERE p.database = pg_catalog.current_database()
UNION ALL
SELECT
    'slot',
    s.slot_name::pg_catalog.text,
    CASE WHEN s.active THEN 'in use' ELSE 'nobody reads it' END,
    greatest(pg_catalog.age(s.xmin), pg_catalog.age(s.catalog_xmin)),
    NULL,
    false
FROM pg_catalog.pg_replication_slots AS s
WHERE NOT s.temporary
UNION ALL
SELECT
    'standby',
    coalesce(nullif(r.application_name, ''), r.pid::pg_catalog.text),
    'hot_standby_feedback',
    pg_catalog.age(r.backend_xmin),
    NULL,
    r.state IS NULL
FROM pg_catalog.pg_stat_replication AS r
ORDER BY age DESC NULLS LAST, kind, name;
