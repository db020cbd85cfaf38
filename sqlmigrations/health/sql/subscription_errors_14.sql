-- The subscriptions of this database, on a server that doesn't count their errors yet.
SELECT
    s.subname::pg_catalog.text AS name,
    s.subenabled AS is_enabled,
    EXISTS (
        SELECT FROM pg_catalog.pg_stat_subscription AS w WHERE w.subid = s.oid AND w.pid IS NOT NULL
    ) AS is_at_work,
    0 AS apply_errors,
    0 AS sync_errors,
    0 AS conflicts,
    NULL AS stats_reset,
    ARRAY(
        SELECT pg_catalog.concat_ws('.', n.nspname, c.relname)
        FROM pg_catalog.pg_subscription_rel AS r
        JOIN pg_catalog.pg_class AS c ON c.oid = r.srrelid
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE r.srsubid = s.oid AND r.srsubstate <> 'r'
        ORDER BY 1
    ) AS unready
FROM pg_catalog.pg_subscription AS s
JOIN pg_catalog.pg_database AS d ON d.oid = s.subdbid
WHERE d.datname = pg_catalog.current_database()
ORDER BY 1;
