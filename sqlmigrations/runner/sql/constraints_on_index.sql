-- The constraints that need an index: dropping it means dropping them.
SELECT pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I;', con.conrelid::regclass, con.conname)
  FROM pg_catalog.pg_constraint con
 WHERE con.conindid = pg_catalog.to_regclass(%(index)s)
 ORDER BY con.contype = 'f' DESC, con.conname
