-- Every campaign has a slug now: say so.
--
-- SET NOT NULL alone would read the whole table under a lock that keeps everybody out. VALIDATE reads it under one that
-- keeps nobody out, and SET NOT NULL then takes the validated check as proof and reads nothing. Both are in one file
-- here because the table is small; for a large one, VALIDATE would be a file of its own.

ALTER TABLE campaigns VALIDATE CONSTRAINT campaigns_slug_check;

ALTER TABLE campaigns ADD CONSTRAINT campaigns_slug_given_check CHECK (slug IS NOT NULL) NOT VALID;
ALTER TABLE campaigns VALIDATE CONSTRAINT campaigns_slug_given_check;
ALTER TABLE campaigns ALTER COLUMN slug SET NOT NULL;
ALTER TABLE campaigns DROP CONSTRAINT campaigns_slug_given_check;
