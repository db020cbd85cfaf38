-- sqlmigrations: lock_timeout 2s
-- sqlmigrations: tags backfill
--
-- Readable addresses for campaigns: /campaigns/curse-of-the-amber-keep/ instead of a UUID.
--
-- Every page reads campaigns, so this file gives up after two seconds of waiting for its lock and is tried again,
-- rather than letting all pages queue behind it. The column stays optional for one release: the code that fills it
-- goes live after this file and before 018, which requires it.

ALTER TABLE campaigns ADD COLUMN slug text;

COMMENT ON COLUMN campaigns.slug IS 'The name as it appears in addresses.';

-- A backfill is no change that anybody made: the lists that show what changed last stay as they are.
ALTER TABLE campaigns DISABLE TRIGGER campaigns_set_updated_at;

-- Campaigns of one name are told apart by the beginning of their ids.
WITH named AS (
    SELECT id,
           coalesce(nullif(btrim(regexp_replace(lower(name), '[^a-z0-9]+', '-', 'g'), '-'), ''), 'campaign') AS base
      FROM campaigns
), counted AS (
    SELECT id, base, count(*) OVER (PARTITION BY base) AS namesakes
      FROM named
)
UPDATE campaigns
   SET slug = CASE WHEN namesakes = 1 AND base <> 'campaign' THEN base ELSE base || '-' || left(counted.id::text, 8) END
  FROM counted
 WHERE counted.id = campaigns.id;

ALTER TABLE campaigns ENABLE TRIGGER campaigns_set_updated_at;

-- NOT VALID: holds for every row written from now on, and needs no look at the others under this lock.
ALTER TABLE campaigns
    ADD CONSTRAINT campaigns_slug_key UNIQUE (slug),
    ADD CONSTRAINT campaigns_slug_check CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$') NOT VALID;
