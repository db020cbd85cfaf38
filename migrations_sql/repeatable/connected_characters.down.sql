DROP FUNCTION connected_characters(uuid, integer);
