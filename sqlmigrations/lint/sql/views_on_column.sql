-- The views and rules that name a column.
SELECT DISTINCT n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, pg_catalog.pg_get_viewdef(c.oid) AS definition
  FROM pg_catalog.pg_depend AS d
  JOIN pg_catalog.pg_rewrite AS r ON r.oid = d.objid AND d.classid = 'pg_catalog.pg_rewrite'::regclass
  JOIN pg_catalog.pg_class AS c ON c.oid = r.ev_class
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
 WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = %(table)s AND a.attname = %(column)s
   AND c.relkind IN ('v', 'm')
 ORDER BY 1, 2
