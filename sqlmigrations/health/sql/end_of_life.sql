-- The version of the server, and today as the server sees it.
SELECT
    pg_catalog.current_setting('server_version') AS version,
    pg_catalog.current_setting('server_version_num')::pg_catalog.int4 / 10000 AS major,
    CURRENT_DATE AS today;
