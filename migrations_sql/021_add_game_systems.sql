-- The rules that a campaign is played by. What belongs into this table everywhere is in seed/production_defaults.sql.

CREATE TABLE game_systems (
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    is_offered boolean NOT NULL DEFAULT true,
    code text NOT NULL,
    name text NOT NULL,
    CONSTRAINT game_systems_pkey PRIMARY KEY (code),
    CONSTRAINT game_systems_name_key UNIQUE (name),
    CONSTRAINT game_systems_code_check CHECK (code ~ '^[a-z][a-z0-9_]*$')
);

COMMENT ON TABLE game_systems IS 'Sets of rules that campaigns can be played by.';
COMMENT ON COLUMN game_systems.code IS 'The key in code and in exports; never changes.';
COMMENT ON COLUMN game_systems.is_offered IS 'Whether new campaigns may choose it; old ones keep what they have.';

ALTER TABLE campaigns
    ADD COLUMN game_system_code text,
    ADD CONSTRAINT campaigns_game_system_code_fkey
        FOREIGN KEY (game_system_code) REFERENCES game_systems (code) ON DELETE RESTRICT;

COMMENT ON COLUMN campaigns.game_system_code IS 'NULL for rules of the table''s own making.';

CREATE INDEX campaigns_game_system_code_idx ON campaigns (game_system_code);
