-- The sessions that a backend waits for, with what one needs to find them. A pid of 0 is a prepared transaction.
SELECT b.pid,
       coalesce(a.usename::text, '') AS role,
       coalesce(pg_catalog.host(a.client_addr), 'local') AS host,
       coalesce(a.application_name, '') AS application,
       coalesce(a.state, 'prepared transaction') AS state,
       extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::float8 AS transaction_s,
       pg_catalog.left(coalesce(a.query, ''), 500) AS query
  FROM unnest(pg_catalog.pg_blocking_pids(%(pid)s)) AS b (pid)
  LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = b.pid
 ORDER BY a.xact_start NULLS LAST
