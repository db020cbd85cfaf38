-- The constraints that need an index: dropping it means dropping them.
SELECT 'ALTER TABLE ' || con.conrelid::regclass || ' DROP CONSTRAINT ' || pg_catalog.quote_ident(con.conname) || ';'
  FROM pg_catalog.pg_constraint con
 WHERE con.conindid = pg_catalog.to_regclass(%(index)s)
 ORDER BY con.contype = 'f' DESC, con.conname
