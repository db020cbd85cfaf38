-- In reverse order of making, and without CASCADE: whatever was built on these tables since must go first.

DROP TABLE quests;
DROP TABLE sessions;
DROP TABLE character_connections;
DROP TABLE characters;
DROP TABLE campaigns;
DROP TABLE users;
