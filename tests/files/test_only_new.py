"""Which files touch nothing but what they make: held against what the server says that they lock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from sqlmigrations.files.only_new import OnlyNew
from sqlmigrations.files.splitter import split
from sqlmigrations.runner.held_locks import held_locks
from sqlmigrations.runner.modes import Mode
from tests.databases import session

SCHEMA = """
    CREATE TABLE users (id int PRIMARY KEY, name text);
    CREATE TABLE parts (id int) PARTITION BY LIST (id);
    CREATE SCHEMA other;
    CREATE TABLE other.t (id int PRIMARY KEY);
    CREATE SEQUENCE numbers;
    CREATE TYPE mood AS ENUM ('sad', 'happy');
    CREATE DOMAIN short AS text CHECK (length(VALUE) < 9);
    CREATE FUNCTION noted() RETURNS int LANGUAGE sql AS 'UPDATE public.users SET name = name RETURNING id';
    CREATE FUNCTION feigned(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
        'BEGIN PERFORM public.noted(); RETURN $1; END';
"""

ONLY_NEW = [
    "CREATE TABLE t (id int)",
    "CREATE TABLE t ()",
    "CREATE UNLOGGED TABLE t (id serial PRIMARY KEY, name text UNIQUE NOT NULL, at timestamptz DEFAULT now() NULL)",
    "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY (START 5), CONSTRAINT k UNIQUE (id) DEFERRABLE)",
    "CREATE TABLE t (id int CHECK (id > noted()), CHECK (id < 5) NO INHERIT, n int DEFAULT noted(), x int[] NOT NULL)",
    "CREATE TABLE t (id int DEFAULT nextval('numbers'), m mood DEFAULT 'sad', s short DEFAULT 'x', u users)",
    'CREATE TABLE t (a text COMPRESSION pglz COLLATE "C") USING heap WITH (fillfactor = 70)',
    "CREATE TABLE other.u (id int); CREATE UNIQUE INDEX i ON other.u USING btree (id DESC NULLS LAST) INCLUDE (id)",
    "CREATE TABLE t (id int, b text); CREATE INDEX ON t (id, b text_pattern_ops); CREATE INDEX ON t (id)",
    "CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t); CREATE TABLE u (t int, FOREIGN KEY (t) REFERENCES t)",
    "CREATE TABLE t (id int); COMMENT ON TABLE t IS 'a'; COMMENT ON COLUMN t.id IS NULL",
    'CREATE TABLE "a.b" (id int); COMMENT ON TABLE "a.b" IS $$b$$; CREATE INDEX ON "a.b" (id)',
    "create /* LIKE */ table T (id int); -- INHERITS\n comment on table t is 'REFERENCES users'",
]

#: Each locks what was there before, or what it doesn't make under that name.
LOCKING = [
    "INSERT INTO users VALUES (1)",
    "CREATE TABLE t (id int); INSERT INTO t SELECT noted()",
    "CREATE TABLE t AS SELECT noted()",
    "CREATE TABLE t (id int REFERENCES users)",
    "CREATE TABLE t (id int, FOREIGN KEY (id) REFERENCES other.t)",
    "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int REFERENCES other.t)",
    "CREATE TABLE t (id int) INHERITS (users)",
    "CREATE TABLE t PARTITION OF parts FOR VALUES IN (1)",
    "CREATE TABLE t (id int) PARTITION BY RANGE ((id + feigned(1)))",
    "CREATE TABLE t (id int GENERATED ALWAYS AS (feigned(1)) STORED); INSERT INTO t DEFAULT VALUES",
    "CREATE TABLE t (id int, EXCLUDE (id WITH =) WHERE (id > feigned(1)))",
    "CREATE TABLE t (id int); CREATE INDEX ON t (id) WHERE id > feigned(1)",
    "CREATE TABLE t (id int); CREATE INDEX ON t ((id + feigned(1)))",
    "CREATE TABLE IF NOT EXISTS users (id int); CREATE INDEX ON users (id)",
    "CREATE TABLE IF NOT EXISTS users (id int); COMMENT ON TABLE users IS 'a'",
    "CREATE TEMP TABLE users (id int); DROP TABLE users; CREATE INDEX ON users (id)",
    "CREATE INDEX ON users (name)",
    "CREATE TABLE other.users (id int); CREATE INDEX ON users (name)",
    "CREATE TABLE t (id int); CREATE INDEX ON other.t (id)",
    "COMMENT ON TABLE users IS 'a'",
    "CREATE TABLE t (id int); COMMENT ON COLUMN users.id IS 'a'",
    "CREATE TABLE t (id int); ALTER TABLE users ADD COLUMN a int",
    "CREATE TABLE t (id int); LOCK users",
    "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'DELETE FROM users'",
    "CREATE VIEW v AS SELECT * FROM users FOR UPDATE",
    "CREATE TABLE t (id int); SET search_path = other; CREATE INDEX ON t (id)",
    "DO 'BEGIN LOCK users; END'",
]

#: Nothing is known of these.
UNKNOWN = [
    "SELECT 1",
    "CREATE TABLE t (LIKE users)",
    "CREATE TABLE t (id int); COMMENT ON CONSTRAINT users_pkey ON users IS 'a'",
    "CREATE TABLE t (id int); CREATE INDEX IF NOT EXISTS i ON t (id)",
    "CREATE TABLE db.public.t (id int)",
    "CREATE TABLE t (id int); CREATE TABLE u (id int) THIS IS NO SQL",
    "CREATE OR REPLACE VIEW v AS SELECT 1",
]


@pytest.fixture
def mine(ready_database: str) -> Iterator[psycopg.Connection[Any]]:
    """Return a session for statements that is rolled back; ``SCHEMA`` was there before."""
    with session() as opened:
        opened.execute(SCHEMA)
        yield opened


def is_only_new(text: str) -> bool:
    only_new = OnlyNew()
    for statement in split([text.encode()]):
        only_new.add(statement)
    return only_new.holds


def locked(text: str, mine: psycopg.Connection[Any]) -> list[str]:
    """Return what the statements lock, AccessShare aside, as the server tells it."""
    with session() as other, mine.transaction(force_rollback=True):
        for statement in split([text.encode()]):
            mine.execute(statement.sql)
        held = held_locks(other, mine.info.backend_pid)
        return [lock.relation for lock in held if lock.mode > Mode.AccessShare]


@pytest.mark.parametrize("text", ONLY_NEW)
def test_the_server_agrees_that_a_file_touches_only_what_it_makes(text: str, mine: psycopg.Connection[Any]) -> None:
    assert (is_only_new(text), locked(text, mine)) == (True, [])


@pytest.mark.parametrize("text", LOCKING)
def test_what_locks_others_is_never_taken_for_it(text: str, mine: psycopg.Connection[Any]) -> None:
    assert (is_only_new(text), bool(locked(text, mine))) == (False, True)


@pytest.mark.parametrize("text", UNKNOWN)
def test_what_is_not_known_is_never_taken_for_it(text: str) -> None:
    assert not is_only_new(text)
