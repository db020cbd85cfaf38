"""Tests of the second look at expressions: a dump and restore changes texts, and is no difference."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connections

from sqlmigrations.database import Connection
from sqlmigrations.programs import find
from sqlmigrations.schema import deparse
from sqlmigrations.schema.catalog import Catalog, Identity, read_catalog
from sqlmigrations.schema.compare import compare
from sqlmigrations.schema.deparse import compare_twice, split
from sqlmigrations.schema.difference import Source
from tests.databases import new_database, session
from tests.helpers import PATIENCE

#: One of each kind of object whose text differs once it was stored a second time.
UNSTABLE = """
    CREATE SCHEMA "Odd one";
    CREATE DOMAIN mood AS varchar(9) CHECK (VALUE IN ('glad', 'sad'));
    CREATE TABLE people (
        id bigint GENERATED ALWAYS AS IDENTITY,
        name varchar(20) CHECK (name IN ('ann', 'bob')),
        is_ann boolean DEFAULT ('ann'::varchar IN ('ann', 'bob')),
        knows_ann boolean GENERATED ALWAYS AS (name IN ('ann', 'bob')) STORED,
        EXCLUDE USING btree (id WITH =) WHERE (name IN ('ann', 'bob'))
    );
    CREATE TABLE "Odd one"."people" (LIKE people);
    ALTER TABLE "Odd one"."people" ADD CONSTRAINT "Odd check" CHECK (name IN ('ann', 'bob'));
    CREATE INDEX few ON people (id) WHERE name IN ('ann', 'bob');
    CREATE INDEX asked ON people ((name IN ('ann', 'bob')));
    CREATE STATISTICS counted ON (name IN ('ann', 'bob')), id FROM people;
    CREATE VIEW ann AS SELECT id FROM people WHERE name IN ('ann', 'bob');
    CREATE MATERIALIZED VIEW all_ann AS SELECT id FROM people WHERE name IN ('ann', 'bob');
    ALTER TABLE people ENABLE ROW LEVEL SECURITY;
    CREATE POLICY seen ON people USING (name IN ('ann', 'bob')) WITH CHECK (name IN ('ann', 'cid'));
    CREATE POLICY added ON people AS RESTRICTIVE FOR INSERT WITH CHECK (name IN ('ann', 'bob'));
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
    CREATE TRIGGER touching BEFORE UPDATE ON people FOR EACH ROW
        WHEN (NEW.name IN ('ann', 'bob')) EXECUTE FUNCTION touch();
    CREATE FUNCTION is_known(called varchar) RETURNS boolean LANGUAGE sql
        BEGIN ATOMIC SELECT called IN ('ann', 'bob') AND EXISTS (SELECT FROM people); END;
    CREATE PROCEDURE "Odd one"."greet"(called varchar) LANGUAGE sql
        BEGIN ATOMIC SELECT called IN ('ann', 'bob'); END;
    CREATE FUNCTION forget() RETURNS void LANGUAGE sql BEGIN ATOMIC DELETE FROM people; END;
    CREATE RULE silent AS ON DELETE TO people WHERE OLD.name IN ('ann', 'bob') DO INSTEAD NOTHING;
"""


@pytest.fixture(scope="module")
def restored() -> Iterator[tuple[str, str]]:
    """Make a database, and another one from its dump; yield both names."""
    before, after = (f"sqlm_{word}_{os.getpid()}" for word in ("dumped", "restored"))
    with new_database(before), new_database(after):
        with session(dbname=before) as connection:
            connection.execute(UNSTABLE.encode())
        copy(before, after)
        yield before, after


def copy(before: str, after: str) -> None:
    """Dump one database and restore it into another, with the programs of the server's version."""
    given = connections["default"].settings_dict
    with session(dbname=before) as connection:
        version = connection.info.server_version
    places = {"PGHOST": given["HOST"], "PGPORT": str(given["PORT"]), "PGUSER": given["USER"]}
    variables = {**os.environ, **{name: text for name, text in places.items() if text}}
    dumped = subprocess.run(
        [find("pg_dump", version), before], env=variables, capture_output=True, check=True, timeout=PATIENCE
    )
    subprocess.run(
        [find("psql", version), "-v", "ON_ERROR_STOP=1", "-q", "-d", after],
        env=variables,
        input=dumped.stdout,
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=PATIENCE,
    )


def read(name: str) -> Catalog:
    with session(dbname=name) as connection:
        return read_catalog(connection)


def test_a_dump_and_restore_changes_texts(restored: tuple[str, str]) -> None:
    """Otherwise the next test shows nothing."""
    before, after = map(read, restored)
    assert {difference.kind for difference in compare(before, after, source=Source.SNAPSHOT)} == deparse.KINDS


@pytest.mark.parametrize("where", [0, 1], ids=["before", "after"])
def test_a_dump_and_restore_is_no_difference(restored: tuple[str, str], where: int) -> None:
    before, after = map(read, restored)
    with session(dbname=restored[where]) as connection:
        assert compare_twice(connection, before, after, source=Source.SNAPSHOT) == ()
        assert compare_twice(connection, after, before, source=Source.SNAPSHOT) == ()


def test_a_dump_and_restore_of_everything_is_no_difference(everything_name: str, everything_catalog: Catalog) -> None:
    after = f"sqlm_restored_all_{os.getpid()}"
    with new_database(after):
        copy(everything_name, after)
        with session(dbname=after) as connection:
            found = read_catalog(connection)
            differences = compare_twice(connection, everything_catalog, found, source=Source.SNAPSHOT)
    # A dump doesn't name the versions of extensions: a restore takes the server's newest one.
    assert [(each.object, each.attribute) for each in differences] == [("pg_trgm", "version")]


DRIFTS = [
    (
        "ALTER TABLE people DROP CONSTRAINT people_name_check, "
        "ADD CONSTRAINT people_name_check CHECK (name IN ('ann'))",
        ("constraint", "public.people.people_name_check", "definition"),
    ),
    (
        "DROP INDEX few; CREATE INDEX few ON people (id) WHERE name IN ('ann', 'eve')",
        ("index", "public.few", "predicate"),
    ),
    (
        "ALTER TABLE people ALTER is_ann SET DEFAULT ('ann'::varchar IN ('ann', 'eve'))",
        ("column", "public.people.is_ann", "default"),
    ),
    (
        "CREATE OR REPLACE VIEW ann AS SELECT id FROM people WHERE name IN ('ann', 'eve')",
        ("view", "public.ann", "definition"),
    ),
    ("ALTER POLICY seen ON people USING (name IN ('ann'))", ("policy", "public.people.seen", "using")),
    ("ALTER TABLE people DROP COLUMN is_ann", ("column", "public.people.is_ann", "presence")),
]


@pytest.mark.parametrize(("statement", "difference"), DRIFTS)
def test_what_differs_is_a_difference(
    restored: tuple[str, str], statement: str, difference: tuple[str, str, str]
) -> None:
    before, after = restored
    with session(dbname=after) as connection, connection.transaction(force_rollback=True):
        connection.execute(statement.encode())
        found = compare_twice(connection, read(before), read_catalog(connection), source=Source.SNAPSHOT)
        assert [(each.kind, each.object, each.attribute) for each in found] == [difference]


def test_a_difference_is_told_in_the_words_of_the_first_look(restored: tuple[str, str]) -> None:
    before, after = restored
    with session(dbname=after) as connection, connection.transaction(force_rollback=True):
        connection.execute(b"ALTER TABLE people ALTER is_ann SET DEFAULT false")
        (found,) = compare_twice(connection, read(before), read_catalog(connection), source=Source.SNAPSHOT)
    assert found.expected == read(before).objects[Identity("column", "public.people.is_ann")]["default"]
    assert found.found == "false"


def test_no_table_is_locked_beyond_access_share(restored: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = map(read, restored)
    statement = b"""
        SELECT DISTINCT n.nspname || '.' || c.relname, l.mode
          FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE l.pid = pg_backend_pid() AND n.nspname !~ '^(pg_|sqlm_)'
    """
    seen: list[tuple[str, str]] = []

    def looking(connection: Connection, **options: object) -> Catalog:
        seen.extend(connection.execute(statement).fetchall())
        return read_catalog(connection, **options)  # type: ignore[arg-type]  # as they were given

    monkeypatch.setattr(deparse, "read_catalog", looking)
    with session(dbname=restored[1]) as connection:
        compare_twice(connection, before, after, source=Source.SNAPSHOT)
    assert set(seen) == {("public.people", "AccessShareLock"), ("Odd one.people", "AccessShareLock")}


def test_the_first_look_stands_where_no_schema_can_be_made(restored: tuple[str, str]) -> None:
    before, after = map(read, restored)
    name = f"sqlm_reader_{os.getpid()}"
    with session(dbname="postgres") as server:
        server.execute(f"CREATE ROLE {name}".encode())
        try:
            with session(dbname=restored[1]) as connection:
                connection.execute(f"SET ROLE {name}".encode())
                assert compare_twice(connection, before, after, source=Source.SNAPSHOT) == compare(
                    before, after, source=Source.SNAPSHOT
                )
        finally:
            server.execute(f"DROP ROLE {name}".encode())


def test_a_text_is_one_statement_and_no_more(restored: tuple[str, str]) -> None:
    """A stored text may have been tampered with."""
    identity = Identity("column", "public.people.is_ann")
    with session(dbname=restored[1]) as connection:
        found = read_catalog(connection)
        evil = {**found.objects[identity], "default": "true; COMMIT; CREATE TABLE evil ()"}
        expected = Catalog({**found.objects, identity: evil})
        (difference,) = compare_twice(connection, expected, found, source=Source.SNAPSHOT)
        assert difference.attribute == "default"
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT FROM evil")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("public.people", ("public", "people")),
        ('"Odd.one".people.id', ('"Odd.one"', "people.id")),
        ('"a""b".c', ('"a""b"', "c")),
        ("citext", ("", "citext")),
    ],
)
def test_names_are_split_behind_the_schema(name: str, parts: tuple[str, str]) -> None:
    assert split(name) == parts
