-- When this session began. A process id comes back one day; together with this it names one session for good.
SELECT backend_start
  FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid())
