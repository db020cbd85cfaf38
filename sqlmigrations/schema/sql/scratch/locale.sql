-- What a database's texts are like; the columns of pg_database differ between versions, so they are read as JSON.
-- https://www.postgresql.org/docs/current/catalog-pg-database.html
SELECT pg_encoding_to_char((row ->> 'encoding')::integer) AS encoding,
       row ->> 'datcollate' AS lc_collate,
       row ->> 'datctype' AS lc_ctype,
       CASE row ->> 'datlocprovider' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END AS provider,
       coalesce(row ->> 'datlocale', row ->> 'daticulocale') AS locale,
       row ->> 'daticurules' AS icu_rules
  FROM (SELECT to_jsonb(database) AS row FROM pg_catalog.pg_database AS database WHERE datname = current_database())
    AS rows;
