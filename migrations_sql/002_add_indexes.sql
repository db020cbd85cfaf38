-- Indexes for the questions that the site asks.
--
-- Every foreign key has an index that begins with it: else each DELETE of a parent reads the whole child table. Where
-- pages ask for more than the key, one composite index serves both. The single exception is
-- character_connections.source_id, which the unique constraint of the next file covers.
--
-- The tables are new and empty, so plain CREATE INDEX it is. On a table in use, see 009 for how to go about it.

-- Foreign keys, alone or as the head of what a page lists.
CREATE INDEX campaigns_game_master_id_idx ON campaigns (game_master_id);
CREATE INDEX characters_campaign_id_name_idx ON characters (campaign_id, name);
CREATE INDEX characters_player_id_idx ON characters (player_id);
CREATE INDEX character_connections_target_id_idx ON character_connections (target_id);
CREATE INDEX sessions_campaign_id_starts_at_idx ON sessions (campaign_id, starts_at DESC);
CREATE INDEX quests_campaign_id_state_idx ON quests (campaign_id, state);
CREATE INDEX quests_giver_id_idx ON quests (giver_id);

-- The lists that are open all day show few states out of many rows: partial indexes stay small.
CREATE INDEX campaigns_active_idx ON campaigns (updated_at DESC) WHERE state = 'active';
CREATE INDEX sessions_planned_idx ON sessions (starts_at) WHERE state = 'planned';
CREATE INDEX quests_active_idx ON quests (campaign_id, updated_at DESC) WHERE state = 'active';
CREATE INDEX quests_completed_idx ON quests (campaign_id, completed_at DESC) WHERE state = 'completed';

-- Containment, properties @> '{"theme": "dark"}'. jsonb_path_ops knows no other operator, at about half the size.
CREATE INDEX users_properties_idx ON users USING gin (properties jsonb_path_ops);
CREATE INDEX campaigns_properties_idx ON campaigns USING gin (properties jsonb_path_ops);
CREATE INDEX characters_properties_idx ON characters USING gin (properties jsonb_path_ops);
CREATE INDEX quests_properties_idx ON quests USING gin (properties jsonb_path_ops);

-- Search as you type, lower(name) LIKE 'bal%'. text_pattern_ops makes LIKE independent of the database's collation.
CREATE INDEX users_display_name_search_idx ON users (lower(display_name) text_pattern_ops);
CREATE INDEX campaigns_name_search_idx ON campaigns (lower(name) text_pattern_ops);
CREATE INDEX characters_name_search_idx ON characters (lower(name) text_pattern_ops);
