-- Sequences but those of identity columns, which are read with their columns. One that belongs to a column has the owner
-- and the persistence of its table.
SELECT c.oid,
       0 AS subid,
       'sequence' AS kind,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS name,
       CASE WHEN owning.refobjid IS NULL THEN pg_catalog.pg_get_userbyid(c.relowner)::text END AS owner,
       CASE WHEN owning.refobjid IS NULL AND c.relpersistence = 'u' THEN 'unlogged' END AS persistence,
       pg_catalog.format_type(seq.seqtypid, NULL) AS type,
       seq.seqstart AS start,
       seq.seqincrement AS increment,
       seq.seqmin AS minimum,
       seq.seqmax AS maximum,
       seq.seqcache AS cache,
       nullif(seq.seqcycle, false) AS cycle,
       owning.refobjid::regclass::text || '.' || pg_catalog.quote_ident(att.attname) AS owned_by
  FROM pg_catalog.pg_sequence seq
  JOIN pg_catalog.pg_class c ON c.oid = seq.seqrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_depend owning
    ON owning.classid = 'pg_catalog.pg_class'::regclass
   AND owning.objid = c.oid
   AND owning.objsubid = 0
   AND owning.refclassid = 'pg_catalog.pg_class'::regclass
   AND owning.deptype = 'a'
  LEFT JOIN pg_catalog.pg_attribute att ON att.attrelid = owning.refobjid AND att.attnum = owning.refobjsubid
 WHERE n.nspname !~ '^(pg_|information_schema$)'
   AND (%(schemas)s::text[] IS NULL OR n.nspname = ANY (%(schemas)s::text[]))
   AND (%(relations)s::oid[] IS NULL OR c.oid = ANY (%(relations)s::oid[]))
   AND NOT starts_with(c.relname, 'sqlmigrations_')
   AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_depend e
            WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype IN ('e', 'i')
       )
