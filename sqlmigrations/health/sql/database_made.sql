-- When the folder of this database was made: a restored one is younger than its server's counters. For superusers.
SELECT pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - f.modification) AS seconds
FROM pg_catalog.pg_database AS d
CROSS JOIN LATERAL pg_catalog.pg_stat_file(pg_catalog.concat('base/', d.oid, '/PG_VERSION'), true) AS f
WHERE d.datname = pg_catalog.current_database() AND f.modification IS NOT NULL;
