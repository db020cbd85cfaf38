-- The subscriptions of this database: whether each is on and at work, its errors, and tables not yet in step.
SELECT
    s.subname::pg_catalog.text AS name,
    s.subenabled AS is_enabled,
    EXISTS (
        SELECT FROM pg_catalog.pg_stat_subscription AS w WHERE w.subid = s.oid AND w.pid IS NOT NULL
    ) AS is_at_work,
    coalesce(e.apply_error_count, 0) AS apply_errors,
    coalesce(e.sync_error_count, 0) AS sync_errors,
    coalesce(
        (
            SELECT pg_catalog.sum(c.value::pg_catalog.int8)
            FROM pg_catalog.jsonb_each_text(pg_catalog.to_jsonb(e)) AS c
            WHERE c.key LIKE 'confl\_%'
        ),
        0
    )::pg_catalog.int8 AS conflicts,
    e.stats_reset,
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
LEFT JOIN pg_catalog.pg_stat_subscription_stats AS e ON e.subid = s.oid
WHERE d.datname = pg_catalog.current_database()
ORDER BY 1;
