-- The sessions that hold an advisory lock of two keys (any second one if it is NULL), with what one needs to find them.
SELECT l.pid,
       coalesce(a.usename::text, '') AS role,
       coalesce(pg_catalog.host(a.client_addr), 'local') AS host,
       coalesce(a.application_name, '') AS application,
       a.backend_start AS since,
       coalesce(a.state, '') AS state,
       pg_catalog.left(coalesce(a.query, ''), 500) AS query
  FROM pg_catalog.pg_locks l
  LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
 WHERE l.locktype = 'advisory'
   AND l.granted
   AND l.objsubid = 2
   AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
   AND l.classid = {}::bigint::oid
   AND l.objid = coalesce({}::bigint::oid, l.objid)
   AND l.pid <> pg_catalog.pg_backend_pid()
