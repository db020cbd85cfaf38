-- Constraints of tables, each with what its index has of its own. Left out: what a partition or a child takes over from
-- its parent, constraint triggers (they are among the triggers), and NOT NULL, which PostgreSQL 18 has here and every
-- version with the column. `missing` stands for columns that older versions lack: an inner name wins over an outer one.
SELECT con.oid,
       0 AS subid,
       'constraint' AS kind,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) || '.'
           || pg_catalog.quote_ident(con.conname) AS name,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS "table",
       CASE con.contype
           WHEN 'p' THEN 'primary key'
           WHEN 'u' THEN 'unique'
           WHEN 'f' THEN 'foreign key'
           WHEN 'x' THEN 'exclusion'
           ELSE 'check'
       END AS type,
       ARRAY(SELECT (SELECT pg_catalog.quote_ident(att.attname)
                       FROM pg_catalog.pg_attribute att
                      WHERE att.attrelid = con.conrelid AND att.attnum = key.number)
               FROM unnest(con.conkey) AS key (number)
              WHERE key.number <> 0) AS columns,
       CASE WHEN con.confrelid <> 0 THEN con.confrelid::regclass::text END AS "references",
       CASE WHEN con.convalidated OR NOT con.conenforced THEN NULL ELSE false END AS validated,
       nullif(con.condeferrable, false) AS "deferrable",
       nullif(con.condeferred, false) AS initially_deferred,
       CASE WHEN con.conenforced THEN NULL ELSE false END AS enforced,
       CASE WHEN ic.reloptions IS NOT NULL THEN ARRAY(SELECT o FROM unnest(ic.reloptions) o ORDER BY 1) END
           AS index_options,
       ts.spcname::text AS index_tablespace,
       CASE WHEN i.indisvalid THEN NULL ELSE i.indisvalid END AS index_valid,
       nullif(i.indisclustered, false) AS clustered,
       pg_catalog.pg_get_constraintdef(con.oid) AS definition
  FROM (SELECT true AS conenforced) missing
 CROSS JOIN LATERAL (
           SELECT con.oid, conname, connamespace, contype, condeferrable, condeferred, convalidated, conrelid,
                  CASE WHEN contype IN ('p', 'u', 'x') THEN conindid END AS conindid,
                  confrelid, conkey, conenforced
             FROM pg_catalog.pg_constraint con
            WHERE conrelid <> 0
              AND conparentid = 0
              AND contype IN ('p', 'u', 'f', 'x', 'c')
              AND (conislocal OR coninhcount = 0)
              AND (%(relations)s::oid[] IS NULL OR conrelid = ANY (%(relations)s::oid[]))
       ) con
  JOIN pg_catalog.pg_class c ON c.oid = con.conrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = con.conindid
  LEFT JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
  LEFT JOIN pg_catalog.pg_tablespace ts ON ts.oid = ic.reltablespace
 WHERE n.nspname !~ '^(pg_|information_schema$)'
   AND (%(schemas)s::text[] IS NULL OR n.nspname = ANY (%(schemas)s::text[]))
   AND NOT starts_with(c.relname, 'sqlmigrations_')
   AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_depend e
            WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
       )
