-- Game systems that a campaign is played by stay.

DELETE FROM game_systems
 WHERE code IN ('dnd5e', 'pathfinder2', 'call_of_cthulhu7', 'fate_core', 'freeform')
   AND NOT EXISTS (SELECT FROM campaigns WHERE campaigns.game_system_code = game_systems.code);
