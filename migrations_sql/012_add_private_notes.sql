-- Notes that people take during a campaign, private unless they share them.
--
-- Who may read a note is decided here and not in each query, so that no query can forget it. The site's role, which
-- does not own the table, sees what the policies let it see. The owner sees everything: migrations and backups run as
-- the owner, and a backup that leaves rows out is none. Hence ENABLE, and not FORCE, ROW LEVEL SECURITY.

CREATE TABLE campaign_notes (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    campaign_id uuid NOT NULL,
    author_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    is_private boolean NOT NULL DEFAULT true,
    body text NOT NULL,
    CONSTRAINT campaign_notes_pkey PRIMARY KEY (id),
    CONSTRAINT campaign_notes_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES campaigns (id) ON DELETE CASCADE,
    CONSTRAINT campaign_notes_author_id_fkey FOREIGN KEY (author_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT campaign_notes_body_check CHECK (btrim(body) <> '')
);

COMMENT ON TABLE campaign_notes IS
    'Notes on a campaign. Row level security hides the private ones from all but their authors.';
COMMENT ON COLUMN campaign_notes.is_private IS 'Whether only the author may read it.';

CREATE INDEX campaign_notes_campaign_id_created_at_idx ON campaign_notes (campaign_id, created_at DESC);
CREATE INDEX campaign_notes_author_id_idx ON campaign_notes (author_id);

CREATE TRIGGER campaign_notes_set_updated_at BEFORE UPDATE ON campaign_notes
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

ALTER TABLE campaign_notes ENABLE ROW LEVEL SECURITY;

-- A row is visible when one policy says so: the shared ones to everybody, one's own, shared or not, to oneself.
CREATE POLICY campaign_notes_shared ON campaign_notes FOR SELECT
    USING (NOT is_private);

-- The sub-select is evaluated once per query instead of once per row.
CREATE POLICY campaign_notes_own ON campaign_notes FOR ALL
    USING (author_id = (SELECT current_player_id()))
    WITH CHECK (author_id = (SELECT current_player_id()));

COMMENT ON POLICY campaign_notes_shared ON campaign_notes IS 'Everybody reads what is not private.';
COMMENT ON POLICY campaign_notes_own ON campaign_notes IS 'People read, write, change and remove their own notes.';
