-- The entries of audit_log are lost: take a copy before, if they matter.

DROP TRIGGER quests_record_change ON quests;
DROP TRIGGER characters_record_change ON characters;
DROP TRIGGER campaigns_record_change ON campaigns;
DROP TRIGGER users_record_change ON users;

DROP FUNCTION record_change();
DROP TABLE audit_log;
DROP FUNCTION current_player_id();

DROP TRIGGER quests_set_updated_at ON quests;
DROP TRIGGER sessions_set_updated_at ON sessions;
DROP TRIGGER character_connections_set_updated_at ON character_connections;
DROP TRIGGER characters_set_updated_at ON characters;
DROP TRIGGER campaigns_set_updated_at ON campaigns;
DROP TRIGGER users_set_updated_at ON users;

DROP FUNCTION set_updated_at();
