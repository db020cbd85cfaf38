-- Indexes but those of constraints, which are read with them, and those that a partition has from its parent. NOT IN is
-- a look into a hash table here, and leads the planner to read every catalog once.
SELECT i.indexrelid AS oid,
       0 AS subid,
       'index' AS kind,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(ic.relname) AS name,
       pg_catalog.quote_ident(tn.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS "table",
       nullif(i.indisunique, false) AS "unique",
       am.amname::text AS method,
       ARRAY(SELECT (SELECT pg_catalog.quote_ident(att.attname)
                       FROM pg_catalog.pg_attribute att
                      WHERE att.attrelid = i.indrelid AND att.attnum = key.number)
               FROM unnest(i.indkey) AS key (number)
              WHERE key.number <> 0) AS columns,
       pg_catalog.pg_get_expr(i.indpred, i.indrelid) AS predicate,
       CASE WHEN i.indisvalid THEN NULL ELSE false END AS valid,
       CASE WHEN i.indisready THEN NULL ELSE false END AS ready,
       nullif(i.indisclustered, false) AS clustered,
       CASE WHEN ic.reloptions IS NOT NULL THEN ARRAY(SELECT o FROM unnest(ic.reloptions) o ORDER BY 1) END AS options,
       ts.spcname::text AS tablespace,
       statistics.targets AS statistics_targets,
       pg_catalog.pg_get_indexdef(i.indexrelid) AS definition
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = ic.relnamespace
  JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
  JOIN pg_catalog.pg_namespace tn ON tn.oid = c.relnamespace
  JOIN pg_catalog.pg_am am ON am.oid = ic.relam
  LEFT JOIN pg_catalog.pg_tablespace ts ON ts.oid = ic.reltablespace
  LEFT JOIN (
           SELECT att.attrelid,
                  pg_catalog.array_agg(att.attnum || ': ' || att.attstattarget ORDER BY att.attnum) AS targets
             FROM pg_catalog.pg_attribute att
            WHERE att.attstattarget >= 0
              AND att.attnum > 0
              AND (%(relations)s::oid[] IS NULL
                   OR att.attrelid = ANY (ARRAY(SELECT indexrelid
                                                  FROM pg_catalog.pg_index
                                                 WHERE indrelid = ANY (%(relations)s::oid[]))))
            GROUP BY att.attrelid
       ) statistics ON statistics.attrelid = i.indexrelid
 WHERE i.indexrelid NOT IN (
           SELECT conindid FROM pg_catalog.pg_constraint
            WHERE contype IN ('p', 'u', 'x')
              AND (%(relations)s::oid[] IS NULL OR conrelid = ANY (%(relations)s::oid[]))
       )
   AND NOT ic.relispartition
   AND ic.relnamespace NOT IN (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname ~ '^(pg_|information_schema$)')
   AND (%(schemas)s::text[] IS NULL OR n.nspname = ANY (%(schemas)s::text[]))
   AND (%(relations)s::oid[] IS NULL OR i.indrelid = ANY (%(relations)s::oid[]))
   AND NOT starts_with(c.relname, 'sqlmigrations_')
   AND c.oid NOT IN (
           SELECT objid FROM pg_catalog.pg_depend
            WHERE classid = 'pg_catalog.pg_class'::regclass
              AND refclassid = 'pg_catalog.pg_extension'::regclass
              AND deptype = 'e'
       )
