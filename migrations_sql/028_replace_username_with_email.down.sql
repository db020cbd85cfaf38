-- User names come back, from where 028 kept them. Who has joined since gets one made of the id.
-- Addresses go back among the properties, so that nothing is lost and 028 can be applied again.

ALTER TABLE users ADD COLUMN username text;

COMMENT ON COLUMN users.username IS 'What a person signs in with.';

ALTER TABLE users DISABLE TRIGGER users_set_updated_at;

UPDATE users
   SET username = coalesce(former.username, 'user_' || replace(users.id::text, '-', '')),
       properties = CASE
           WHEN lower(users.email) LIKE '%@users.invalid' THEN users.properties
           ELSE users.properties || jsonb_build_object('email', users.email)
       END
  FROM users AS everybody
  LEFT JOIN former_usernames AS former ON former.user_id = everybody.id
 WHERE everybody.id = users.id;

ALTER TABLE users ENABLE TRIGGER users_set_updated_at;

ALTER TABLE users
    ALTER COLUMN username SET NOT NULL,
    ADD CONSTRAINT users_username_key UNIQUE (username),
    ADD CONSTRAINT users_username_check CHECK (username ~ '^[a-z][a-z0-9_]{2,39}$');

DROP INDEX users_email_key;
ALTER TABLE users DROP CONSTRAINT users_email_check;
ALTER TABLE users DROP COLUMN email;

DROP TABLE former_usernames;
