-- Who works here: what each event remembers.
SELECT current_user::text AS role,
       coalesce(pg_catalog.host(pg_catalog.inet_client_addr()), '') AS client_address,
       coalesce(pg_catalog.current_setting('application_name', true), '') AS application_name,
       pg_catalog.pg_backend_pid() AS backend_pid,
       pg_catalog.current_setting('server_version') AS server,
       pg_catalog.clock_timestamp() AS now
