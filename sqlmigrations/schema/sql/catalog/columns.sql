-- Columns of tables and foreign tables; those of views only where they have something of their own. A column that a
-- table inherits is left out where nothing in it differs from its parent's. convalidated of a NOT NULL constraint is
-- new in PostgreSQL 18, which has them among the constraints. A default names no column, so it is written once, however
-- many columns have it. Some minor releases, 15.20 for one, keep a number of their own among the options of each column,
-- pg_attver, which is no part of the schema: pg_dump leaves it out, too.
WITH written AS MATERIALIZED (
    SELECT same.tree, pg_catalog.pg_get_expr(one.adbin, one.adrelid) AS expression
      FROM (
               SELECT adbin::text AS tree, pg_catalog.min(oid) AS oid
                 FROM pg_catalog.pg_attrdef
                WHERE %(relations)s::oid[] IS NULL OR adrelid = ANY (%(relations)s::oid[])
                GROUP BY adbin::text
           ) same
      JOIN pg_catalog.pg_attrdef one ON one.oid = same.oid
),
attribute AS NOT MATERIALIZED (
    SELECT *,
           CASE WHEN attoptions IS NOT NULL THEN
               nullif(ARRAY(SELECT option FROM pg_catalog.unnest(attoptions) AS option
                             WHERE NOT starts_with(option, 'pg_attver=')), '{}')
           END AS options
      FROM pg_catalog.pg_attribute
)
SELECT att.attrelid AS oid,
       att.attnum::int AS subid,
       'column' AS kind,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) || '.'
           || pg_catalog.quote_ident(att.attname) AS name,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS "table",
       att.attnum::int AS position,
       pg_catalog.format_type(att.atttypid, att.atttypmod) AS type,
       nullif(att.attnotnull, false) AS not_null,
       CASE WHEN not_null.convalidated THEN NULL ELSE not_null.convalidated END AS not_null_validated,
       nullif(not_null.connoinherit, false) AS not_null_no_inherit,
       CASE WHEN att.attgenerated = '' THEN written.expression END AS "default",
       CASE att.attgenerated
           WHEN 's' THEN pg_catalog.pg_get_expr(def.adbin, def.adrelid) || ' STORED'
           WHEN 'v' THEN pg_catalog.pg_get_expr(def.adbin, def.adrelid) || ' VIRTUAL'
       END AS generated,
       CASE att.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END AS identity,
       CASE WHEN att.attidentity <> '' THEN counted.words END AS identity_sequence,
       CASE WHEN att.attcollation <> typ.typcollation THEN att.attcollation::regcollation::text END AS "collation",
       CASE WHEN att.attstorage <> typ.typstorage THEN
           CASE att.attstorage
               WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' ELSE 'extended'
           END
       END AS storage,
       CASE att.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END AS compression,
       nullif(att.attstattarget, -1)::int AS statistics_target,
       att.options AS options,
       att.attfdwoptions AS server_options
  FROM attribute att
  JOIN pg_catalog.pg_class c ON c.oid = att.attrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_type typ ON typ.oid = att.atttypid
  LEFT JOIN pg_catalog.pg_attrdef def ON def.adrelid = att.attrelid AND def.adnum = att.attnum
  LEFT JOIN (
           SELECT d.refobjid AS relation, d.refobjsubid AS number,
                  ARRAY['START WITH ' || seq.seqstart, 'INCREMENT BY ' || seq.seqincrement,
                        'MINVALUE ' || seq.seqmin, 'MAXVALUE ' || seq.seqmax, 'CACHE ' || seq.seqcache,
                        CASE WHEN seq.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END] AS words
             FROM pg_catalog.pg_sequence seq
             JOIN pg_catalog.pg_depend d ON d.objid = seq.seqrelid
            WHERE d.classid = 'pg_catalog.pg_class'::regclass
              AND d.refclassid = 'pg_catalog.pg_class'::regclass
              AND d.deptype = 'i'
       ) counted ON counted.relation = att.attrelid AND counted.number = att.attnum
  LEFT JOIN written ON written.tree = def.adbin::text
  LEFT JOIN pg_catalog.pg_constraint not_null
    ON not_null.conrelid = att.attrelid
   AND not_null.contype = 'n'
   AND not_null.conkey[1] = att.attnum
   AND (not_null.connoinherit OR NOT not_null.convalidated)
 WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm')
   AND att.attnum > 0
   AND NOT att.attisdropped
   AND n.nspname !~ '^(pg_|information_schema$)'
   AND (%(schemas)s::text[] IS NULL OR n.nspname = ANY (%(schemas)s::text[]))
   AND (%(relations)s::oid[] IS NULL OR att.attrelid = ANY (%(relations)s::oid[]))
   AND NOT starts_with(c.relname, 'sqlmigrations_')
   AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_depend e
            WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
       )
   AND (
           c.relkind NOT IN ('v', 'm')
           OR att.attacl IS NOT NULL
           OR def.oid IS NOT NULL
           OR nullif(att.attstattarget, -1) IS NOT NULL
           OR att.options IS NOT NULL
           OR (c.relkind = 'm' AND (att.attstorage <> typ.typstorage OR att.attcompression <> ''))
           OR EXISTS (
                  SELECT FROM pg_catalog.pg_description note
                   WHERE note.classoid = 'pg_catalog.pg_class'::regclass
                     AND note.objoid = att.attrelid
                     AND note.objsubid = att.attnum
              )
       )
   AND (
           att.attislocal
           OR att.attinhcount = 0
           OR NOT EXISTS (
                  SELECT FROM pg_catalog.pg_inherits inh
                    JOIN attribute parent
                      ON parent.attrelid = inh.inhparent
                     AND parent.attname = att.attname
                    LEFT JOIN pg_catalog.pg_attrdef inherited
                      ON inherited.adrelid = parent.attrelid
                     AND inherited.adnum = parent.attnum
                   WHERE inh.inhrelid = att.attrelid
                     AND (att.atttypid, att.atttypmod, att.attnotnull, att.attcollation, att.attstorage,
                          att.attcompression, att.attgenerated, att.attidentity, att.attstattarget, att.options,
                          att.attacl, pg_catalog.pg_get_expr(def.adbin, def.adrelid))
                         IS NOT DISTINCT FROM
                         (parent.atttypid, parent.atttypmod, parent.attnotnull, parent.attcollation,
                          parent.attstorage, parent.attcompression, parent.attgenerated, parent.attidentity,
                          parent.attstattarget, parent.options, parent.attacl,
                          pg_catalog.pg_get_expr(inherited.adbin, inherited.adrelid))
              )
       )
