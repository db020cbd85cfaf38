ALTER TABLE sessions DROP CONSTRAINT sessions_campaign_id_times_excl;

-- Without CASCADE: PostgreSQL refuses when something else has come to use the extension.
DROP EXTENSION btree_gist;
