ALTER TABLE campaigns ALTER COLUMN slug DROP NOT NULL;

-- A constraint can't be made "not valid" again; it can only be made anew.
ALTER TABLE campaigns
    DROP CONSTRAINT campaigns_slug_check,
    ADD CONSTRAINT campaigns_slug_check CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$') NOT VALID;
