-- The campaign manager's tables: who plays, what is played, and what happened.
--
-- How these files are written:
--   * Keys are UUIDs made by gen_random_uuid(), which is built in: an import from another table top keeps its keys.
--   * Every constraint has a name, <table>_<column>_<kind>, so that a later file can name it too.
--   * Columns of fixed width come first, texts and JSON last: rows waste no space on padding.
--   * What every row has is a column; what differs from one game system to the next goes into `properties`.
--   * Checks, indexes and triggers follow in files of their own, so that each can be read and reverted alone.

CREATE TABLE users (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    display_name text NOT NULL,
    properties jsonb NOT NULL DEFAULT '{}',
    username text NOT NULL,
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_username_key UNIQUE (username)
);

COMMENT ON TABLE users IS 'People who play or lead campaigns.';
COMMENT ON COLUMN users.display_name IS 'What the others at the table see; need not be unique.';
COMMENT ON COLUMN users.properties IS 'Settings of the person, such as {"theme": "dark"}.';
COMMENT ON COLUMN users.username IS 'What a person signs in with.';

CREATE TABLE campaigns (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    game_master_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    state text NOT NULL DEFAULT 'planned',
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    properties jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT campaigns_pkey PRIMARY KEY (id),
    -- A person who leads a campaign can't be removed before someone else leads it.
    CONSTRAINT campaigns_game_master_id_fkey FOREIGN KEY (game_master_id) REFERENCES users (id) ON DELETE RESTRICT
);

COMMENT ON TABLE campaigns IS 'Stories that a group plays over many sessions.';
COMMENT ON COLUMN campaigns.game_master_id IS 'Who leads the campaign.';
COMMENT ON COLUMN campaigns.state IS 'planned, active, paused, completed or abandoned.';
COMMENT ON COLUMN campaigns.properties IS 'House rules and whatever the game system asks for.';

CREATE TABLE characters (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    campaign_id uuid NOT NULL,
    player_id uuid,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    level smallint NOT NULL DEFAULT 1,
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    properties jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT characters_pkey PRIMARY KEY (id),
    CONSTRAINT characters_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES campaigns (id) ON DELETE CASCADE,
    -- When a player leaves, the character stays in the story and the game master plays on with it.
    CONSTRAINT characters_player_id_fkey FOREIGN KEY (player_id) REFERENCES users (id) ON DELETE SET NULL
);

COMMENT ON TABLE characters IS 'Everybody in a story, played by a person or by the game master.';
COMMENT ON COLUMN characters.player_id IS 'Who plays the character; NULL for the game master.';
COMMENT ON COLUMN characters.properties IS 'The character sheet: attributes, equipment, spells.';

CREATE TABLE character_connections (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    source_id uuid NOT NULL,
    target_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    kind text NOT NULL,
    description text NOT NULL DEFAULT '',
    CONSTRAINT character_connections_pkey PRIMARY KEY (id),
    CONSTRAINT character_connections_source_id_fkey
        FOREIGN KEY (source_id) REFERENCES characters (id) ON DELETE CASCADE,
    CONSTRAINT character_connections_target_id_fkey
        FOREIGN KEY (target_id) REFERENCES characters (id) ON DELETE CASCADE
);

COMMENT ON TABLE character_connections IS 'How one character stands to another; read "source is the <kind> of target".';
COMMENT ON COLUMN character_connections.kind IS 'ally, rival, family, mentor or debtor.';

CREATE TABLE sessions (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    campaign_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    number integer NOT NULL,
    state text NOT NULL DEFAULT 'planned',
    summary text NOT NULL DEFAULT '',
    CONSTRAINT sessions_pkey PRIMARY KEY (id),
    CONSTRAINT sessions_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES campaigns (id) ON DELETE CASCADE
);

COMMENT ON TABLE sessions IS 'Evenings on which a campaign is played.';
COMMENT ON COLUMN sessions.number IS 'Counts from 1 within the campaign.';
COMMENT ON COLUMN sessions.state IS 'planned, played or cancelled.';

CREATE TABLE quests (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    campaign_id uuid NOT NULL,
    giver_id uuid,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    completed_at timestamptz,
    reward_gold integer NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'open',
    title text NOT NULL,
    description text NOT NULL DEFAULT '',
    properties jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT quests_pkey PRIMARY KEY (id),
    CONSTRAINT quests_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES campaigns (id) ON DELETE CASCADE,
    CONSTRAINT quests_giver_id_fkey FOREIGN KEY (giver_id) REFERENCES characters (id) ON DELETE SET NULL
);

COMMENT ON TABLE quests IS 'What the characters set out to do.';
COMMENT ON COLUMN quests.giver_id IS 'The character who asked for it; NULL when it began by itself.';
COMMENT ON COLUMN quests.state IS 'open, active, completed, failed or abandoned.';
COMMENT ON COLUMN quests.reward_gold IS 'Gold pieces for the whole party.';
