-- A partition that is attached, wholly or half detached, and its parent.
SELECT inh.inhdetachpending AS pending,
       pn.nspname::text AS parent_schema,
       p.relname::text AS parent,
       cn.nspname::text AS schema,
       c.relname::text AS partition
  FROM pg_catalog.pg_inherits inh
  JOIN pg_catalog.pg_class p ON p.oid = inh.inhparent
  JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
  JOIN pg_catalog.pg_class c ON c.oid = inh.inhrelid
  JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
 WHERE inh.inhparent = pg_catalog.to_regclass(%(parent)s)
   AND inh.inhrelid = pg_catalog.to_regclass(%(partition)s)
