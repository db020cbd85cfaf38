-- Every boolean column of every row must be true.

SELECT expected.name, to_regclass(expected.name) IS NOT NULL AS table_exists
  FROM unnest(ARRAY['users', 'campaigns', 'characters', 'character_connections', 'sessions', 'quests'])
       AS expected (name);

SELECT expected.name,
       EXISTS (SELECT FROM pg_constraint WHERE conname = expected.name AND contype = 'f') AS foreign_key_exists
  FROM unnest(ARRAY[
       'campaigns_game_master_id_fkey',
       'characters_campaign_id_fkey', 'characters_player_id_fkey',
       'character_connections_source_id_fkey', 'character_connections_target_id_fkey',
       'sessions_campaign_id_fkey',
       'quests_campaign_id_fkey', 'quests_giver_id_fkey'
       ]) AS expected (name);
