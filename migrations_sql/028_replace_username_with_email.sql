-- People sign in with their e-mail address; user names go.
--
-- Many have entered an address among their properties already: they keep it. Of two with the same address, whatever
-- its case, the one who came first gets it. Everybody else gets <username>@users.invalid and is asked for an address
-- at the next sign-in; RFC 2606 reserves .invalid, so a mistaken mail goes nowhere.

ALTER TABLE users ADD COLUMN email text;

COMMENT ON COLUMN users.email IS
    'What a person signs in with, unique whatever its case. One that ends in @users.invalid is still to be asked for.';

-- Links with the old names live on in chats and wikis: the site finds out here whom they meant.
CREATE TABLE former_usernames (
    user_id uuid NOT NULL,
    username text NOT NULL,
    CONSTRAINT former_usernames_pkey PRIMARY KEY (user_id),
    CONSTRAINT former_usernames_username_key UNIQUE (username),
    CONSTRAINT former_usernames_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);

COMMENT ON TABLE former_usernames IS 'User names from before people signed in with e-mail addresses.';

INSERT INTO former_usernames (user_id, username)
SELECT id, username FROM users;

-- Nobody changed anything about themselves: updated_at stays.
ALTER TABLE users DISABLE TRIGGER users_set_updated_at;

WITH given AS (
    SELECT DISTINCT ON (lower(properties ->> 'email')) id, properties ->> 'email' AS email
      FROM users
     WHERE properties ->> 'email' ~ '^[^@\s]+@[^@\s]+\.[^@\s]+$'
       AND lower(properties ->> 'email') NOT LIKE '%@users.invalid'
     ORDER BY lower(properties ->> 'email'), created_at, id
)
UPDATE users
   SET email = coalesce(given.email, users.username || '@users.invalid'),
       properties = CASE WHEN given.id IS NULL THEN users.properties ELSE users.properties - 'email' END
  FROM users AS everybody
  LEFT JOIN given ON given.id = everybody.id
 WHERE everybody.id = users.id;

ALTER TABLE users ENABLE TRIGGER users_set_updated_at;

-- The constraints first, by their names. The index behind the unique one can't be dropped itself ("cannot drop index
-- users_username_key because constraint users_username_key on table users requires it"): it goes with its constraint.
ALTER TABLE users DROP CONSTRAINT users_username_key;
ALTER TABLE users DROP CONSTRAINT users_username_check;
ALTER TABLE users DROP COLUMN username;

ALTER TABLE users
    ALTER COLUMN email SET NOT NULL,
    ADD CONSTRAINT users_email_check CHECK (email ~ '^[^@\s]+@[^@\s]+\.[^@\s]+$');

-- An index and no constraint: a constraint can't be on an expression.
CREATE UNIQUE INDEX users_email_key ON users (lower(email));
