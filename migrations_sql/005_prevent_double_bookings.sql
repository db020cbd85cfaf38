-- One campaign can't be played twice at the same time.
--
-- Looking for an overlap before inserting leaves a gap between the look and the insert; an exclusion constraint leaves
-- none. It needs an index that knows both uuid equality and range overlap: GiST learns the former from btree_gist,
-- which is part of PostgreSQL's contrib and which the owner of a database may create.

CREATE EXTENSION IF NOT EXISTS btree_gist;

ALTER TABLE sessions
    ADD CONSTRAINT sessions_campaign_id_times_excl
        EXCLUDE USING gist (campaign_id WITH =, tstzrange(starts_at, ends_at) WITH &&)
        WHERE (state <> 'cancelled');

COMMENT ON CONSTRAINT sessions_campaign_id_times_excl ON sessions IS
    'Sessions of one campaign do not overlap. One may begin when another ends; cancelled ones do not count.';
