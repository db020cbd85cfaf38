-- Which of the required tables and columns are there. A table without a schema is sought along the search_path.
SELECT wanted.name,
       rel.oid IS NOT NULL AS has_table,
       wanted.column_name,
       att.attnum IS NOT NULL AS has_column
  FROM ROWS FROM (
           unnest(%(names)s::text[]), unnest(%(schemas)s::text[]),
           unnest(%(tables)s::text[]), unnest(%(columns)s::text[])
       ) WITH ORDINALITY AS wanted (name, schema_name, table_name, column_name, place)
  LEFT JOIN LATERAL (
           SELECT c.oid
             FROM pg_catalog.pg_class c
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relname = wanted.table_name
              AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
              AND CASE
                      WHEN wanted.schema_name = '' THEN pg_catalog.pg_table_is_visible(c.oid)
                      ELSE n.nspname = wanted.schema_name
                  END
       ) rel ON true
  LEFT JOIN pg_catalog.pg_attribute att
    ON att.attrelid = rel.oid
   AND att.attname = wanted.column_name
   AND att.attnum > 0
   AND NOT att.attisdropped
 ORDER BY wanted.place
