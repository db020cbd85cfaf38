ALTER TABLE quests DROP COLUMN priority;

DROP TYPE quest_priority;
