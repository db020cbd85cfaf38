-- Quests have a priority.
--
-- A type rather than a checked text, because the order of the values means something: ORDER BY priority DESC puts the
-- urgent ones first. A column with a constant default is added without rewriting the table.

CREATE TYPE quest_priority AS ENUM ('low', 'normal', 'high');

COMMENT ON TYPE quest_priority IS 'How much a quest matters to the story, in ascending order.';

ALTER TABLE quests ADD COLUMN priority quest_priority NOT NULL DEFAULT 'normal';
