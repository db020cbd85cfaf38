-- Whether a valid index without a predicate begins with these columns, in whatever order.
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_index AS i
     WHERE i.indrelid = %(table)s AND i.indisvalid AND i.indpred IS NULL
       AND (SELECT array_agg(a.attname::text ORDER BY a.attname)
              FROM unnest((i.indkey::int2[])[0:cardinality(%(columns)s::text[]) - 1]) AS keys (number)
              JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = keys.number)
           = (SELECT array_agg(name ORDER BY name) FROM unnest(%(columns)s::text[]) AS names (name))
) AS is_indexed
