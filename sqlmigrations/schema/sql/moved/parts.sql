-- Relations, each with a digest of what can be taken away from it while no other row of the catalogs about it is
-- written. Columns go with their relation only; who takes away a default, a NOT NULL or an identity writes the row of
-- the column. Every part has a key of its own; their hashes are put together as bits, whatever the order.
SELECT part.relation, pg_catalog.bit_xor(pg_catalog.hashint8extended(part.key, 0)) AS digest
  FROM (
           SELECT oid AS relation, 10 * oid::bigint AS key
             FROM pg_catalog.pg_class
            WHERE oid >= 16384 AND relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
            UNION ALL
           SELECT indrelid, 10 * indexrelid::bigint + 1 FROM pg_catalog.pg_index WHERE indexrelid >= 16384
            UNION ALL
           SELECT stxrelid, 10 * oid::bigint + 2 FROM pg_catalog.pg_statistic_ext
            UNION ALL
           SELECT conrelid, 10 * oid::bigint + 3
             FROM pg_catalog.pg_constraint WHERE conrelid >= 16384 AND contype <> 'n'
            UNION ALL
           SELECT tgrelid, 10 * oid::bigint + 4 FROM pg_catalog.pg_trigger
            UNION ALL
           SELECT ev_class, 10 * oid::bigint + 5 FROM pg_catalog.pg_rewrite WHERE ev_class >= 16384
            UNION ALL
           SELECT polrelid, 10 * oid::bigint + 6 FROM pg_catalog.pg_policy
            UNION ALL
           SELECT inhrelid, 10 * inhparent::bigint + 7 FROM pg_catalog.pg_inherits
            UNION ALL
           -- Comments: by negative numbers, which no oid makes.
           SELECT noted.relation,
                  -1 - (pg_catalog.hash_record_extended(ROW(note.classoid, note.objoid, note.objsubid), 0)
                        & 9223372036854775807)
             FROM pg_catalog.pg_description note
             JOIN (
                      SELECT 'pg_catalog.pg_class'::regclass AS classid, oid, oid AS relation FROM pg_catalog.pg_class
                       UNION ALL
                      SELECT 'pg_catalog.pg_constraint'::regclass, oid, conrelid FROM pg_catalog.pg_constraint
                       UNION ALL
                      SELECT 'pg_catalog.pg_trigger'::regclass, oid, tgrelid FROM pg_catalog.pg_trigger
                       UNION ALL
                      SELECT 'pg_catalog.pg_rewrite'::regclass, oid, ev_class FROM pg_catalog.pg_rewrite
                       UNION ALL
                      SELECT 'pg_catalog.pg_policy'::regclass, oid, polrelid FROM pg_catalog.pg_policy
                       UNION ALL
                      SELECT 'pg_catalog.pg_statistic_ext'::regclass, oid, stxrelid FROM pg_catalog.pg_statistic_ext
                  ) noted ON noted.classid = note.classoid AND noted.oid = note.objoid
            WHERE note.objoid >= 16384
       ) part
 GROUP BY part.relation
-- An index is here for its comments, all else of it with its table; what stores long values of tables isn't at all.
HAVING pg_catalog.bool_or(part.key = 10 * part.relation::bigint OR part.key < 0)
