DROP TABLE sqlmigrations_migrationevent;
DROP TABLE sqlmigrations_migrationrecord;
DROP FUNCTION sqlmigrations_refuse_change();
