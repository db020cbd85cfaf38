-- Relations, and what can be taken away from one while no other row of the catalogs about it is written: each by a key
-- of its own, and by the name that it has beside the relation's. Columns go with their relation only; who takes away a
-- default, a NOT NULL or an identity writes the row of the column.
SELECT c.oid AS relation,
       10 * c.oid::bigint AS key,
       'relation ' || pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS name
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
   AND n.nspname !~ '^(pg_|information_schema$)'
 UNION ALL
SELECT i.indrelid,
       10 * i.indexrelid::bigint + 1,
       'index ' || pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname)
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname !~ '^(pg_|information_schema$)'
 UNION ALL
SELECT s.stxrelid,
       10 * s.oid::bigint + 2,
       'statistics ' || pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(s.stxname)
  FROM pg_catalog.pg_statistic_ext s
  JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
 UNION ALL
SELECT conrelid, 10 * oid::bigint + 3, NULL
  FROM pg_catalog.pg_constraint WHERE conrelid >= 16384 AND contype <> 'n'
 UNION ALL
SELECT tgrelid, 10 * oid::bigint + 4, NULL FROM pg_catalog.pg_trigger
 UNION ALL
SELECT ev_class, 10 * oid::bigint + 5, NULL FROM pg_catalog.pg_rewrite WHERE ev_class >= 16384
 UNION ALL
SELECT polrelid, 10 * oid::bigint + 6, NULL FROM pg_catalog.pg_policy
 UNION ALL
SELECT inhrelid, 10 * inhparent::bigint + 7, NULL FROM pg_catalog.pg_inherits
 UNION ALL
-- Comments: by negative numbers, which no oid makes.
SELECT noted.relation,
       -1 - (pg_catalog.hash_record_extended(ROW(note.classoid, note.objoid, note.objsubid), 0) & 9223372036854775807),
       NULL
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
