-- All constraints hold for the rows that are there, and every foreign key now has an index that begins with it.

SELECT conrelid::regclass AS table_name, conname, convalidated AS is_validated
  FROM pg_constraint
 WHERE contype IN ('c', 'u')
   AND conrelid IN (
       'users'::regclass, 'campaigns'::regclass, 'characters'::regclass,
       'character_connections'::regclass, 'sessions'::regclass, 'quests'::regclass
   );

SELECT conrelid::regclass AS table_name,
       conname,
       EXISTS (
           SELECT FROM pg_index
            WHERE indrelid = conrelid AND indisvalid AND indpred IS NULL AND indkey[0] = conkey[1]
       ) AS has_index
  FROM pg_constraint
 WHERE contype = 'f'
   AND conrelid IN (
       'campaigns'::regclass, 'characters'::regclass, 'character_connections'::regclass,
       'sessions'::regclass, 'quests'::regclass
   );
