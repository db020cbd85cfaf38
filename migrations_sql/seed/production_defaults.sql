-- sqlmigrations: tags production
-- sqlmigrations: requires 021_add_game_systems.sql
--
-- The game systems that every installation offers.
--
-- To be run again after each change: a name is brought up to date, a row that already is as it should be is not
-- touched, and is_offered is left to those who run the site.

INSERT INTO game_systems (code, name) VALUES
    ('dnd5e', 'Dungeons & Dragons, 5th edition'),
    ('pathfinder2', 'Pathfinder, 2nd edition'),
    ('call_of_cthulhu7', 'Call of Cthulhu, 7th edition'),
    ('fate_core', 'Fate Core'),
    ('freeform', 'No rules at all')
ON CONFLICT (code) DO UPDATE
   SET name = excluded.name
 WHERE game_systems.name IS DISTINCT FROM excluded.name;
