-- Where and when this is, and how far the clocks of transaction ids and multixacts have gone. The place changes with the
-- server (a restored dump, an upgrade) and with the database, so that numbers of two of them are never compared.
SELECT
    pg_catalog.clock_timestamp() AS at,
    pg_catalog.concat_ws('/', s.system_identifier, d.oid) AS place,
    pg_catalog.pg_postmaster_start_time() AS started_at,
    pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::pg_catalog.text::pg_catalog.int8 AS transaction_ids,
    -- The age of the first multixact is the number of all that there were, as 32 bits with a sign.
    pg_catalog.mxid_age('1')::pg_catalog.int8 AS multixacts,
    pg_catalog.age(d.datfrozenxid)::pg_catalog.int8 AS transaction_age,
    pg_catalog.mxid_age(d.datminmxid)::pg_catalog.int8 AS multixact_age
FROM pg_catalog.pg_database AS d
CROSS JOIN pg_catalog.pg_control_system() AS s
WHERE d.datname = pg_catalog.current_database();
