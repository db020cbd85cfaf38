-- How many sessions there are in a database but for one, which is about to end.
SELECT count(*)
  FROM pg_catalog.pg_stat_activity
 WHERE datname = %(database)s AND pid <> %(own)s AND backend_type = 'client backend'
