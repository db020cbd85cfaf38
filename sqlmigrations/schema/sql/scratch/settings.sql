-- The settings that ALTER DATABASE gave the sessions of this database, those for a single role aside.
SELECT split_part(setting, '=', 1) AS name, substr(setting, strpos(setting, '=') + 1) AS value
  FROM pg_catalog.pg_db_role_setting AS given, unnest(given.setconfig) AS setting
 WHERE given.setrole = 0
   AND given.setdatabase = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
 ORDER BY 1;
