-- How large this database is, with all that belongs to it.
SELECT pg_catalog.pg_database_size(d.oid) AS bytes
FROM pg_catalog.pg_database AS d
WHERE d.datname = pg_catalog.current_database();
