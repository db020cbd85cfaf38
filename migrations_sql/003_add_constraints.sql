-- Rules that hold whichever program writes: enumerations, ranges, and what must be unique.
--
-- Enumerations are checked texts, not types, where the list is likely to lose members: a value is taken out of a CHECK
-- in one statement. (010 uses a type where the order of the values matters.)

ALTER TABLE users
    ADD CONSTRAINT users_display_name_check CHECK (btrim(display_name) <> ''),
    ADD CONSTRAINT users_username_check CHECK (username ~ '^[a-z][a-z0-9_]{2,39}$'),
    ADD CONSTRAINT users_properties_check CHECK (jsonb_typeof(properties) = 'object');

ALTER TABLE campaigns
    ADD CONSTRAINT campaigns_state_check
        CHECK (state IN ('planned', 'active', 'paused', 'completed', 'abandoned')),
    ADD CONSTRAINT campaigns_name_check CHECK (btrim(name) <> ''),
    ADD CONSTRAINT campaigns_properties_check CHECK (jsonb_typeof(properties) = 'object');

ALTER TABLE characters
    ADD CONSTRAINT characters_level_check CHECK (level BETWEEN 1 AND 20),
    ADD CONSTRAINT characters_name_check CHECK (btrim(name) <> ''),
    ADD CONSTRAINT characters_properties_check CHECK (jsonb_typeof(properties) = 'object');

-- One pair may be connected in several ways, but only once in each.
ALTER TABLE character_connections
    ADD CONSTRAINT character_connections_kind_check CHECK (kind IN ('ally', 'rival', 'family', 'mentor', 'debtor')),
    ADD CONSTRAINT character_connections_ends_check CHECK (source_id <> target_id),
    ADD CONSTRAINT character_connections_source_id_target_id_kind_key UNIQUE (source_id, target_id, kind);

ALTER TABLE sessions
    ADD CONSTRAINT sessions_state_check CHECK (state IN ('planned', 'played', 'cancelled')),
    ADD CONSTRAINT sessions_times_check CHECK (starts_at < ends_at),
    ADD CONSTRAINT sessions_number_check CHECK (number >= 1),
    ADD CONSTRAINT sessions_campaign_id_number_key UNIQUE (campaign_id, number);

ALTER TABLE quests
    ADD CONSTRAINT quests_state_check CHECK (state IN ('open', 'active', 'completed', 'failed', 'abandoned')),
    ADD CONSTRAINT quests_completed_at_check CHECK ((state = 'completed') = (completed_at IS NOT NULL)),
    ADD CONSTRAINT quests_reward_gold_check CHECK (reward_gold >= 0),
    ADD CONSTRAINT quests_title_check CHECK (btrim(title) <> ''),
    ADD CONSTRAINT quests_properties_check CHECK (jsonb_typeof(properties) = 'object');
