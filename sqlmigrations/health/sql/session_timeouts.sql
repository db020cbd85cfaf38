-- The timeouts with which a session of this role in this database begins: the value that RESET would bring back, so
-- what was set on the server, the database, the role or in the connection's options. Older servers don't know all.
SELECT
    s.name,
    s.reset_val::pg_catalog.int8 AS milliseconds,
    s.unit,
    CURRENT_USER::pg_catalog.text AS role,
    pg_catalog.current_database()::pg_catalog.text AS "database"
FROM pg_catalog.pg_settings AS s
WHERE s.name IN (
    'statement_timeout', 'idle_in_transaction_session_timeout', 'lock_timeout', 'transaction_timeout'
)
ORDER BY s.name;
