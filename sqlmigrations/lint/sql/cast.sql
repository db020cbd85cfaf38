-- How a value of one type becomes one of another: 'b' when both are stored alike.
SELECT target.oid AS type_oid,
       (SELECT castmethod::text FROM pg_catalog.pg_cast
         WHERE castsource = %(source)s AND casttarget = target.oid) AS method
  FROM (SELECT pg_catalog.to_regtype(%(target)s)::oid AS oid) AS target
