-- A column: its type, whether it can be NULL, and whether a valid constraint proves that it is not.
SELECT pg_catalog.format_type(a.atttypid, a.atttypmod) AS type, a.atttypid AS type_oid, a.attnotnull AS is_not_null,
       base.typname::text AS type_name,
       EXISTS (
           SELECT FROM pg_catalog.pg_constraint AS k
            WHERE k.conrelid = a.attrelid AND k.contype = 'c' AND k.convalidated
              AND pg_catalog.pg_get_expr(k.conbin, k.conrelid)
                  ~ ('(^|AND )\(*' || regexp_replace(quote_ident(a.attname), '([][{}()*+?.\\^$|])', '\\\1', 'g')
                     || ' IS NOT NULL\)*( AND|$)')
              AND pg_catalog.pg_get_expr(k.conbin, k.conrelid) !~ ' OR '
       ) AS is_proven,
       EXISTS (
           SELECT FROM pg_catalog.pg_index AS i
            WHERE i.indrelid = a.attrelid AND a.attnum = ANY (i.indkey)
       ) AS is_indexed
  FROM pg_catalog.pg_attribute AS a
  JOIN pg_catalog.pg_type AS base ON base.oid = a.atttypid
 WHERE a.attrelid = %(table)s AND a.attname = %(column)s AND NOT a.attisdropped
