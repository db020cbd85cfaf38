ALTER TABLE campaigns
    DROP CONSTRAINT campaigns_slug_check,
    DROP CONSTRAINT campaigns_slug_key,
    DROP COLUMN slug;
