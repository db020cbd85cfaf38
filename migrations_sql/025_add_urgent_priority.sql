-- Some quests can't wait.
--
-- A file of its own: a value that was added to a type can't be used before the transaction that adds it has ended.

ALTER TYPE quest_priority ADD VALUE 'urgent' AFTER 'high';
