-- Whether a partition hangs between attached and detached, and whether it is still attached at all.
SELECT inh.inhdetachpending
  FROM pg_catalog.pg_inherits inh
 WHERE inh.inhparent = pg_catalog.to_regclass(%(parent)s)
   AND inh.inhrelid = pg_catalog.to_regclass(%(partition)s)
