DROP INDEX characters_name_search_idx;
DROP INDEX campaigns_name_search_idx;
DROP INDEX users_display_name_search_idx;

DROP INDEX quests_properties_idx;
DROP INDEX characters_properties_idx;
DROP INDEX campaigns_properties_idx;
DROP INDEX users_properties_idx;

DROP INDEX quests_completed_idx;
DROP INDEX quests_active_idx;
DROP INDEX sessions_planned_idx;
DROP INDEX campaigns_active_idx;

DROP INDEX quests_giver_id_idx;
DROP INDEX quests_campaign_id_state_idx;
DROP INDEX sessions_campaign_id_starts_at_idx;
DROP INDEX character_connections_target_id_idx;
DROP INDEX characters_player_id_idx;
DROP INDEX characters_campaign_id_name_idx;
DROP INDEX campaigns_game_master_id_idx;
