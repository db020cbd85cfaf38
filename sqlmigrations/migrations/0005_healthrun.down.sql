DROP TABLE sqlmigrations_healthrun;
