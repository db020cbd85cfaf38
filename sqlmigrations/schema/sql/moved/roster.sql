-- What there is before a run, as three lists of equal length, and the transaction from which on others may still be open.
SELECT pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::xid::text AS since,
       coalesce(pg_catalog.array_agg(part.relation)::text, '{{}}') AS relations,
       coalesce(pg_catalog.array_agg(part.key)::text, '{{}}') AS keys,
       coalesce(pg_catalog.json_agg(part.name)::text, '[]') AS names
  FROM ({parts}) part
