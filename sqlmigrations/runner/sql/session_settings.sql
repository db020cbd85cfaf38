-- What was set on this session after it began (Django's time zone, a tenant's search_path, ...):
-- RESET ALL loses these, while it keeps what a role, the database or the connection string sets.
SELECT name, setting
  FROM pg_catalog.pg_settings
 WHERE source = 'session'
   AND context IN ('user', 'superuser')
   AND name NOT IN ('transaction_isolation', 'transaction_read_only', 'transaction_deferrable')
 ORDER BY name
