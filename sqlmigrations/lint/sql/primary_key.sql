-- The columns of a table's primary key, in order.
SELECT a.attname::text AS name
  FROM pg_catalog.pg_constraint AS k
 CROSS JOIN unnest(k.conkey) WITH ORDINALITY AS keys (number, place)
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = keys.number
 WHERE k.conrelid = %(table)s AND k.contype = 'p'
 ORDER BY keys.place
