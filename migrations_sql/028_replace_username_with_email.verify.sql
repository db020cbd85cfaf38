-- The column is gone, its name is kept, and everybody can sign in.

SELECT NOT EXISTS (
           SELECT FROM pg_attribute
            WHERE attrelid = 'users'::regclass AND attname = 'username' AND NOT attisdropped
       ) AS username_is_gone,
       to_regclass('users_username_key') IS NULL AS its_index_is_gone,
       to_regclass('users_email_key') IS NOT NULL AS email_is_unique,
       NOT EXISTS (SELECT FROM users WHERE email IS NULL) AS everybody_has_an_email;
