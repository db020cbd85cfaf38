-- The locks that a backend holds on relations which this session sees, strongest first, one for each relation. Asked
-- from another session while the backend's transaction is open, these are the relations that were there before it,
-- under the names that everybody else knows them by. An index is named only where its lock is stronger than that on
-- its table, and not while it is removed CONCURRENTLY: no query uses it any more then. Our own tables are left out, and
-- so is SIReadLock, which blocks nobody and may outlive the transaction that took it.
WITH held AS (
    SELECT l.relation,
           max(pg_catalog.array_position(
               ARRAY['AccessShareLock', 'RowShareLock', 'RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareLock',
                     'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'], l.mode)) AS strength
      FROM pg_catalog.pg_locks l
     WHERE l.pid = %s AND l.locktype = 'relation' AND l.granted AND l.relation >= 16384
       AND l.mode <> 'SIReadLock'
       AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
     GROUP BY l.relation
)
SELECT c.oid::bigint AS oid,
       n.nspname || '.' || c.relname AS relation,
       c.relkind::text AS kind,
       h.strength
  FROM held h
  JOIN pg_catalog.pg_class c ON c.oid = h.relation
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
  LEFT JOIN held t ON t.relation = i.indrelid
 WHERE n.nspname !~ '^pg_'
   AND c.relname !~ '^sqlmigrations_'
   AND (i.indexrelid IS NULL OR (i.indislive AND h.strength > coalesce(t.strength, 0)))
 ORDER BY h.strength DESC, 1
