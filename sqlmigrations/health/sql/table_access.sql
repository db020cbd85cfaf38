-- How tables are read and written since the counters began: whole or by an index, and how many updates found room on
-- their row's own page. What newer servers add is read through JSON.
SELECT
    n.nspname::pg_catalog.text AS schema,
    c.relname::pg_catalog.text AS "table",
    greatest(s.n_live_tup, c.reltuples::pg_catalog.int8, 0) AS rows,
    s.seq_scan AS scans,
    s.seq_tup_read AS rows_read,
    coalesce(s.idx_scan, 0) AS index_scans,
    s.n_tup_upd AS updates,
    s.n_tup_hot_upd AS hot_updates,
    (pg_catalog.to_jsonb(s) ->> 'n_tup_newpage_upd')::pg_catalog.int8 AS new_page_updates,
    coalesce(
        (
            SELECT pg_catalog.split_part(o, '=', 2)::pg_catalog.int4
            FROM pg_catalog.unnest(c.reloptions) AS o
            WHERE o LIKE 'fillfactor=%'
        ),
        100
    ) AS fillfactor
FROM pg_catalog.pg_stat_user_tables AS s
JOIN pg_catalog.pg_class AS c ON c.oid = s.relid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relpersistence <> 't'
ORDER BY s.seq_tup_read DESC, 1, 2;
