-- Full text search over quests, title before description.
--
-- A generated column can't fall out of step with the texts that it is made of. Adding it rewrites the table, which is
-- a matter of seconds here; for a table of millions of rows a trigger and a backfill in batches would be kinder.

ALTER TABLE quests
    ADD COLUMN search tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', description), 'B')
    ) STORED;

COMMENT ON COLUMN quests.search IS 'For search @@ websearch_to_tsquery(''english'', ...); kept by PostgreSQL.';

CREATE INDEX quests_search_idx ON quests USING gin (search);

-- The audit log needs no copy of what can be computed from the rest of the row.
CREATE OR REPLACE TRIGGER quests_record_change AFTER INSERT OR UPDATE OR DELETE ON quests
    FOR EACH ROW EXECUTE FUNCTION record_change('updated_at', 'search');
