-- A relation by its name, with its size and traffic; a partitioned table with those of its partitions. Only the
-- catalog and the statistics are read: no lock on the relation is taken.
WITH found AS (
    SELECT pg_class.oid, pg_namespace.nspname, pg_class.relname, pg_class.relkind, pg_class.reltablespace,
           pg_class.relispopulated
      FROM pg_catalog.pg_class
      JOIN pg_catalog.pg_namespace ON pg_namespace.oid = pg_class.relnamespace
     WHERE pg_class.relname = %(name)s
       AND CASE WHEN %(schema)s = '' THEN pg_catalog.pg_table_is_visible(pg_class.oid)
                ELSE pg_namespace.nspname = %(schema)s END
), parts AS (
    SELECT found.oid AS root, coalesce(tree.relid::oid, found.oid) AS part
      FROM found
      LEFT JOIN LATERAL pg_catalog.pg_partition_tree(found.oid) AS tree ON found.relkind = 'p'
), measured AS (
    SELECT parts.root,
           sum(greatest(pg_class.reltuples, 0)) FILTER (WHERE pg_class.relkind <> 'p') AS rows,
           bool_or(pg_class.reltuples < 0) FILTER (WHERE pg_class.relkind <> 'p') AS unknown,
           sum(pg_class.relpages::bigint) AS pages,
           sum(coalesce(stat.seq_scan, 0) + coalesce(stat.idx_scan, 0)) AS reads,
           sum(coalesce(stat.n_tup_ins, 0) + coalesce(stat.n_tup_upd, 0) + coalesce(stat.n_tup_del, 0)) AS writes
      FROM parts
      JOIN pg_catalog.pg_class ON pg_class.oid = parts.part
      LEFT JOIN pg_catalog.pg_stat_all_tables AS stat ON stat.relid = parts.part
     GROUP BY parts.root
)
SELECT found.oid, found.nspname AS schema, found.relname AS name, found.relkind::text AS kind,
       coalesce(spaces.spcname, defaults.spcname) AS tablespace, found.relispopulated AS is_populated,
       coalesce(measured.rows, 0)::bigint AS rows, coalesce(measured.unknown, false) AS is_unknown,
       coalesce(measured.reads, 0)::float8 / seconds.since AS reads_per_second,
       coalesce(measured.writes, 0)::float8 / seconds.since AS writes_per_second
  FROM found
  JOIN measured ON measured.root = found.oid
  JOIN pg_catalog.pg_database ON pg_database.datname = pg_catalog.current_database()
  JOIN pg_catalog.pg_tablespace AS defaults ON defaults.oid = pg_database.dattablespace
  LEFT JOIN pg_catalog.pg_tablespace AS spaces ON spaces.oid = found.reltablespace
 CROSS JOIN (
    SELECT greatest(60, extract(epoch FROM pg_catalog.now() - coalesce(stats_reset, pg_catalog.pg_postmaster_start_time())))
               ::float8 AS since
      FROM pg_catalog.pg_stat_database
     WHERE datname = pg_catalog.current_database()
 ) AS seconds
