-- Every table with a column updated_at has the trigger that sets it.

SELECT tables.name,
       EXISTS (
           SELECT FROM pg_trigger
            WHERE tgrelid = tables.name::regclass AND tgfoid = 'set_updated_at()'::regprocedure AND tgenabled = 'O'
       ) AS sets_updated_at
  FROM unnest(ARRAY['users', 'campaigns', 'characters', 'character_connections', 'sessions', 'quests'])
       AS tables (name);

SELECT tables.name,
       EXISTS (
           SELECT FROM pg_trigger
            WHERE tgrelid = tables.name::regclass AND tgfoid = 'record_change()'::regprocedure AND tgenabled = 'O'
       ) AS is_audited
  FROM unnest(ARRAY['users', 'campaigns', 'characters', 'quests']) AS tables (name);

SELECT prosecdef AS runs_with_owners_rights,
       proconfig @> ARRAY['search_path=public, pg_temp'] AS has_fixed_search_path
  FROM pg_proc
 WHERE oid = 'record_change()'::regprocedure;
