-- A value can't be taken out of a type, so the type is made anew. What was urgent becomes high.

ALTER TABLE quests DISABLE TRIGGER quests_set_updated_at;
UPDATE quests SET priority = 'high' WHERE priority = 'urgent';
ALTER TABLE quests ENABLE TRIGGER quests_set_updated_at;

ALTER TYPE quest_priority RENAME TO quest_priority_with_urgent;
CREATE TYPE quest_priority AS ENUM ('low', 'normal', 'high');
COMMENT ON TYPE quest_priority IS 'How much a quest matters to the story, in ascending order.';

ALTER TABLE quests
    ALTER COLUMN priority DROP DEFAULT,
    ALTER COLUMN priority TYPE quest_priority USING priority::text::quest_priority,
    ALTER COLUMN priority SET DEFAULT 'normal';

DROP TYPE quest_priority_with_urgent;
