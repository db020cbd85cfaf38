-- The search path that a session of this role begins with; ours is empty while checks run.
SELECT s.reset_val AS value FROM pg_catalog.pg_settings AS s WHERE s.name = 'search_path';
