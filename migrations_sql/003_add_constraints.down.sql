ALTER TABLE quests
    DROP CONSTRAINT quests_properties_check,
    DROP CONSTRAINT quests_title_check,
    DROP CONSTRAINT quests_reward_gold_check,
    DROP CONSTRAINT quests_completed_at_check,
    DROP CONSTRAINT quests_state_check;

ALTER TABLE sessions
    DROP CONSTRAINT sessions_campaign_id_number_key,
    DROP CONSTRAINT sessions_number_check,
    DROP CONSTRAINT sessions_times_check,
    DROP CONSTRAINT sessions_state_check;

ALTER TABLE character_connections
    DROP CONSTRAINT character_connections_source_id_target_id_kind_key,
    DROP CONSTRAINT character_connections_ends_check,
    DROP CONSTRAINT character_connections_kind_check;

ALTER TABLE characters
    DROP CONSTRAINT characters_properties_check,
    DROP CONSTRAINT characters_name_check,
    DROP CONSTRAINT characters_level_check;

ALTER TABLE campaigns
    DROP CONSTRAINT campaigns_properties_check,
    DROP CONSTRAINT campaigns_name_check,
    DROP CONSTRAINT campaigns_state_check;

ALTER TABLE users
    DROP CONSTRAINT users_properties_check,
    DROP CONSTRAINT users_username_check,
    DROP CONSTRAINT users_display_name_check;
