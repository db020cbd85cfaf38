-- Enums, domains, composite types and ranges, each with the attributes of its kind.
SELECT t.oid,
       0 AS subid,
       CASE t.typtype
           WHEN 'e' THEN 'enum'
           WHEN 'd' THEN 'domain'
           WHEN 'r' THEN 'range type'
           ELSE 'composite type'
       END AS kind,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(t.typname) AS name,
       pg_catalog.pg_get_userbyid(t.typowner)::text AS owner,
       CASE WHEN t.typtype = 'e' THEN
           ARRAY(SELECT e.enumlabel::text
                   FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder)
       END AS labels,
       CASE WHEN t.typtype = 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END AS type,
       nullif(t.typnotnull, false) AS not_null,
       t.typdefault AS "default",
       CASE WHEN t.typtype = 'd' AND t.typcollation <> base.typcollation THEN t.typcollation::regcollation::text END
           AS "collation",
       CASE WHEN t.typtype = 'd' THEN
           ARRAY(SELECT 'CONSTRAINT ' || pg_catalog.quote_ident(con.conname) || ' '
                            || pg_catalog.pg_get_constraintdef(con.oid)
                   FROM pg_catalog.pg_constraint con
                  WHERE con.contypid = t.oid AND con.contype = 'c'
                  ORDER BY con.conname)
       END AS constraints,
       CASE WHEN t.typtype = 'c' THEN
           ARRAY(SELECT pg_catalog.quote_ident(att.attname) || ' '
                            || pg_catalog.format_type(att.atttypid, att.atttypmod)
                            || CASE WHEN att.attcollation <> member.typcollation
                                    THEN ' COLLATE ' || att.attcollation::regcollation::text ELSE '' END
                   FROM pg_catalog.pg_attribute att
                   JOIN pg_catalog.pg_type member ON member.oid = att.atttypid
                  WHERE att.attrelid = t.typrelid AND att.attnum > 0 AND NOT att.attisdropped
                  ORDER BY att.attnum)
       END AS columns,
       CASE WHEN rng.rngtypid IS NOT NULL THEN pg_catalog.format_type(rng.rngsubtype, NULL) END AS subtype,
       CASE WHEN rng.rngtypid IS NOT NULL THEN
           (SELECT pg_catalog.quote_ident(opn.nspname) || '.' || pg_catalog.quote_ident(opc.opcname)
              FROM pg_catalog.pg_opclass opc
              JOIN pg_catalog.pg_namespace opn ON opn.oid = opc.opcnamespace
             WHERE opc.oid = rng.rngsubopc)
       END AS operator_class,
       CASE WHEN rng.rngcollation <> 0 THEN rng.rngcollation::regcollation::text END AS subtype_collation,
       CASE WHEN rng.rngcanonical <> 0 THEN rng.rngcanonical::regproc::text END AS canonical_function,
       CASE WHEN rng.rngsubdiff <> 0 THEN rng.rngsubdiff::regproc::text END AS difference_function,
       CASE WHEN rng.rngmultitypid <> 0 THEN rng.rngmultitypid::regtype::text END AS multirange_type
  FROM pg_catalog.pg_type t
  JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_catalog.pg_type base ON base.oid = t.typbasetype
  LEFT JOIN pg_catalog.pg_range rng ON rng.rngtypid = t.oid
 WHERE (t.typtype IN ('e', 'd', 'r')
        OR t.typtype = 'c' AND t.typrelid IN (SELECT oid FROM pg_catalog.pg_class WHERE relkind = 'c'))
   AND n.nspname !~ '^(pg_|information_schema$)'
   AND (%(schemas)s::text[] IS NULL OR n.nspname = ANY (%(schemas)s::text[]))
   AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_depend e
            WHERE e.classid = 'pg_catalog.pg_type'::regclass AND e.objid = t.oid AND e.deptype = 'e'
       )
   AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_depend e
            WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = t.typrelid AND e.deptype = 'e'
       )
