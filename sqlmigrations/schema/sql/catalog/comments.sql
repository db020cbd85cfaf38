-- Comments on the users' objects. Those of PostgreSQL itself have numbers below 16384; public is one that users own.
SELECT note.classoid::regclass::text AS catalog,
       note.objoid AS oid,
       note.objsubid AS subid,
       note.description AS comment
  FROM pg_catalog.pg_description note
 WHERE (note.objoid >= 16384 OR note.classoid = 'pg_catalog.pg_namespace'::regclass)
   AND (%(relations)s::oid[] IS NULL
        OR note.classoid <> 'pg_catalog.pg_class'::regclass
        OR note.objoid = ANY (%(relations)s::oid[])
        OR note.objoid IN (SELECT indexrelid FROM pg_catalog.pg_index WHERE indrelid = ANY (%(relations)s::oid[])))
