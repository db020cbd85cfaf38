DROP TABLE sqlmigrations_schematext;
DROP TABLE sqlmigrations_schemasnapshot;
