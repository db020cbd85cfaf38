-- About how many rows the largest table has, as ANALYZE or the statistics counted them last.
SELECT coalesce(max(greatest(c.reltuples, s.n_live_tup)), 0)::bigint AS rows
  FROM pg_catalog.pg_class c
  LEFT JOIN pg_catalog.pg_stat_user_tables s ON s.relid = c.oid
 WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND c.oid >= 16384
