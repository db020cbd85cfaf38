CREATE OR REPLACE TRIGGER quests_record_change AFTER INSERT OR UPDATE OR DELETE ON quests
    FOR EACH ROW EXECUTE FUNCTION record_change('updated_at');

DROP INDEX quests_search_idx;

ALTER TABLE quests DROP COLUMN search;
