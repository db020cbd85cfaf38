-- What there is before a run: the transaction from which on others may still be open, the relations with their digests as
-- two lists of equal length, and the names of relations, indexes and statistics, each with its relation, as two more.
SELECT pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::xid::text AS since,
       parts.relations,
       parts.digests,
       named.relations AS named,
       named.names
  FROM (
           SELECT coalesce(pg_catalog.array_agg(part.relation)::text, '{{}}') AS relations,
                  coalesce(pg_catalog.array_agg(part.digest)::text, '{{}}') AS digests
             FROM ({parts}) part
       ) parts
 CROSS JOIN (
           SELECT coalesce(pg_catalog.array_agg(one.relation)::text, '{{}}') AS relations,
                  coalesce(pg_catalog.json_agg(one.kind || ' ' || pg_catalog.quote_ident(n.nspname) || '.'
                                               || pg_catalog.quote_ident(one.name))::text, '[]') AS names
             FROM (
                      SELECT coalesce(i.indrelid, c.oid) AS relation,
                             CASE WHEN i.indrelid IS NULL THEN 'relation' ELSE 'index' END AS kind,
                             c.relname AS name,
                             c.relnamespace AS schema
                        FROM pg_catalog.pg_class c
                        LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
                       WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'i', 'I')
                       UNION ALL
                      SELECT stxrelid, 'statistics', stxname, stxnamespace FROM pg_catalog.pg_statistic_ext
                  ) one
             JOIN pg_catalog.pg_namespace n ON n.oid = one.schema
            WHERE n.nspname !~ '^(pg_|information_schema$)'
       ) named
