ALTER TABLE campaigns DROP COLUMN game_system_code;

DROP TABLE game_systems;
