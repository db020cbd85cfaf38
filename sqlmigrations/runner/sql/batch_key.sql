-- A table whose rows are to be walked by a key: its kind, about how many rows it has, and its keys. Those are its valid
-- unique B-tree indexes over columns that can't be NULL, the primary key first.
SELECT c.relkind::text AS kind,
       n.nspname AS schema,
       c.relname AS name,
       CASE WHEN c.relkind = 'p' THEN (
           SELECT coalesce(sum(greatest(leaf.reltuples, 0)), 0)
             FROM pg_catalog.pg_partition_tree(c.oid) p
             JOIN pg_catalog.pg_class leaf ON leaf.oid = p.relid
            WHERE p.isleaf
       ) ELSE c.reltuples END::bigint AS rows,
       ARRAY(
           SELECT pg_catalog.to_json(ARRAY(
                      SELECT a.attname::text
                        FROM pg_catalog.unnest(i.indkey::smallint[]) WITH ORDINALITY AS k(attnum, place)
                        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
                       WHERE k.place <= i.indnkeyatts
                       ORDER BY k.place))
             FROM pg_catalog.pg_index i
             JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
             JOIN pg_catalog.pg_am m ON m.oid = x.relam AND m.amname = 'btree'
            WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
              AND NOT EXISTS (
                  SELECT FROM pg_catalog.pg_attribute a
                   WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey::smallint[]) AND NOT a.attnotnull)
            ORDER BY i.indisprimary DESC, x.relname
       ) AS keys,
       EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary) AS has_primary_key
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.oid = pg_catalog.to_regclass(%(table)s)
