-- What there is before a run: the transaction from which on others may still be open, the relations with their digests
-- as two lists of equal length, and their names as two more.
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
           SELECT coalesce(pg_catalog.array_agg(c.oid)::text, '{{}}') AS relations,
                  coalesce(pg_catalog.json_agg(pg_catalog.quote_ident(n.nspname) || '.'
                                               || pg_catalog.quote_ident(c.relname))::text, '[]') AS names
             FROM pg_catalog.pg_class c
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND n.nspname !~ '^(pg_|information_schema$)'
       ) named
