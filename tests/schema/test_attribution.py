"""Every change by hand has its author, though others have changed the same tables before and after."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

import sqlmigrations
from sqlmigrations.database import Connection
from sqlmigrations.history import Tables
from sqlmigrations.schema import ddl_log
from sqlmigrations.schema.attribution import attribute, names_of, normal, plain_part
from sqlmigrations.schema.catalog import Catalog, read_catalog
from sqlmigrations.schema.compare import compare
from sqlmigrations.schema.ddl_log import LoggedChange
from sqlmigrations.schema.difference import Change, Difference, Source
from sqlmigrations.service.authors import with_authors
from sqlmigrations.severity import Severity
from tests.databases import new_database, session
from tests.schema.conftest import EVERYTHING
from tests.schema.mutations import MUTATIONS, SOME_MUTATIONS, Mutation

MIGRATIONS = Path(sqlmigrations.__file__).parent / "migrations"
TABLES = Tables("public")

#: What PostgreSQL fires no event trigger for.
UNSEEN = ("UPDATE pg_constraint", "UPDATE pg_index", "ALTER EVENT TRIGGER", "DROP EVENT TRIGGER")

#: What somebody else has done to the same tables.
BEFORE = "ALTER TABLE shop.customers ALTER bio SET STATISTICS 7; ALTER TABLE shop.orders ALTER during SET STATISTICS 7"
AFTER = "ALTER TABLE shop.customers ALTER bio SET STATISTICS 8; ALTER TABLE shop.orders ALTER during SET STATISTICS 8"


@pytest.fixture(scope="module")
def logging_name(everything_name: str) -> Iterator[str]:
    """Make a database of every kind of object, with the log installed."""
    name = f"{everything_name}_log"
    files = [file for file in sorted(MIGRATIONS.glob("[0-9]*.sql")) if not file.name.endswith(".down.sql")]
    with new_database(name):
        with session(dbname=name) as connection:
            connection.execute(EVERYTHING.encode())
            for file in files:
                connection.execute(file.read_bytes())
            ddl_log.install(connection, TABLES)
        yield name


@pytest.fixture(scope="module")
def expected(logging_name: str) -> Catalog:
    with session(dbname=logging_name) as connection:
        return read_catalog(connection)


@pytest.fixture
def connection(logging_name: str) -> Iterator[Connection]:
    with session(dbname=logging_name, application_name="bench") as connection:
        yield connection


@pytest.mark.parametrize("mutation", SOME_MUTATIONS)
def test_each_change_by_hand_has_its_author(connection: Connection, expected: Catalog, mutation: Mutation) -> None:
    if connection.info.server_version // 10000 < mutation.since:
        pytest.skip(f"PostgreSQL {mutation.since} brought this statement")
    with connection.transaction(force_rollback=True):
        connection.execute(BEFORE.encode())
        connection.execute(mutation.statement.encode())
        try:
            with connection.transaction():
                connection.execute(AFTER.encode())
        except psycopg.errors.UndefinedTable:
            pass  # the table has another name by now
        made = (mutation.kind, mutation.object, mutation.attribute)
        found = compare(expected, read_catalog(connection), source=Source.SNAPSHOT)
        (difference,) = [each for each in found if (each.kind, each.object, each.attribute) == made]
        (told,) = with_authors(connection, TABLES, [difference])
        (address,) = connection.execute("SELECT coalesce(host(inet_client_addr()), '')").fetchone() or ("",)
    if mutation.statement.startswith(UNSEEN):
        assert told.changed is None
    else:
        assert told.changed is not None
        assert told.changed.statement == " ".join(mutation.statement.split())[:500]
        assert told.changed.by == connection.info.user
        assert told.changed.application == ", ".join(filter(None, ["bench", address]))


def test_postgresql_logs_all_changes_but_a_few() -> None:
    """All changes by hand have their author but these five."""
    unseen = [mutation.statement for mutation in MUTATIONS if mutation.statement.startswith(UNSEEN)]
    assert (len(MUTATIONS), len(unseen)) == (148, 5)
    assert len({(mutation.kind, mutation.attribute) for mutation in MUTATIONS}) == 120


# Rules that the changes by hand don't touch

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def logged(statement: str, object: str = "public.users", *, dropped: bool = False, filename: str = "") -> LoggedChange:
    tag = "COMMENT" if statement.startswith("COMMENT") else " ".join(statement.split()[:2])
    kind = "table" if object else ""
    return LoggedChange(NOW, 1, "alice", "", "psql", "", 1, filename, tag, kind, object, dropped, statement, "")


def difference(kind: str, name: str, attribute: str, expected: str, found: str) -> Difference:
    return Difference(Source.SNAPSHOT, kind, name, attribute, expected, found, Severity.ERROR)


CASES = [
    (
        "a constraint that PostgreSQL named",
        difference("constraint", "public.users.users_email_key", "presence", "absent", "present"),
        [logged("ALTER TABLE users ADD UNIQUE (email)")],
        "ALTER TABLE users ADD UNIQUE (email)",
    ),
    (
        "all triggers of a table",
        difference("trigger", "public.users.touched", "state", "enabled", "disabled"),
        [logged("ALTER TABLE users DISABLE TRIGGER ALL"), logged("ALTER TABLE users ADD x int")],
        "ALTER TABLE users DISABLE TRIGGER ALL",
    ),
    (
        "all tables of a schema",
        difference("table", "public.users", "grants", "none", "GRANT SELECT TO bob"),
        [logged("GRANT SELECT ON other TO bob", ""), logged("GRANT SELECT ON ALL TABLES IN SCHEMA public TO bob", "")],
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO bob",
    ),
    (
        "the last of several",
        difference("table", "public.users", "owner", "a", "b"),
        [
            logged("ALTER TABLE users OWNER TO a"),
            logged("ALTER TABLE users OWNER TO b"),
            logged("ALTER TABLE users ADD x int"),
        ],
        "ALTER TABLE users OWNER TO b",
    ),
    (
        "a person before a file",
        difference("column", "public.users.x", "type", "integer", "bigint"),
        [
            logged("ALTER TABLE users ALTER x TYPE bigint"),
            logged("ALTER TABLE users ALTER x TYPE bigint", filename="001.sql"),
        ],
        "ALTER TABLE users ALTER x TYPE bigint",
    ),
    (
        "a person who names the part behind its table, before the file that made it",
        difference("trigger", "public.users.touched", "state", "enabled", "disabled"),
        [
            logged("CREATE TRIGGER touched BEFORE UPDATE ON users", "touched on public.users", filename="001.sql"),
            logged("ALTER TABLE users DISABLE TRIGGER touched"),
        ],
        "ALTER TABLE users DISABLE TRIGGER touched",
    ),
    (
        "the statement whose words fit before the one that PostgreSQL names the column of",
        difference("column", "public.users.x", "default", "5", "6"),
        [
            logged("ALTER TABLE users ALTER x SET DEFAULT 6"),
            logged("ALTER TABLE users RENAME y TO x", "public.users.x"),
        ],
        "ALTER TABLE users ALTER x SET DEFAULT 6",
    ),
    (
        "a comment changes nothing but the comment",
        difference("function", "public.f()", "body", "1", "2"),
        [logged("CREATE OR REPLACE FUNCTION f()", "public.f()"), logged("COMMENT ON FUNCTION f()", "public.f()")],
        "CREATE OR REPLACE FUNCTION f()",
    ),
    (
        "a partition that was attached again, which is logged with its parent",
        difference("table", "public.one", "partition_bound", "FOR VALUES IN (1)", "FOR VALUES IN (2)"),
        [
            logged("CREATE TABLE one PARTITION OF users", "public.one", filename="001.sql"),
            logged("ALTER TABLE users ATTACH PARTITION one FOR VALUES IN (2)"),
            logged("ALTER TABLE users ADD x int"),
        ],
        "ALTER TABLE users ATTACH PARTITION one FOR VALUES IN (2)",
    ),
    (
        "PUBLIC is no schema",
        difference("schema", "public", "grants", "none", "GRANT USAGE TO bob"),
        [logged("GRANT USAGE ON SCHEMA public TO bob", ""), logged("REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC", "")],
        "GRANT USAGE ON SCHEMA public TO bob",
    ),
    (
        "a file has not changed what its run left",
        difference("function", "public.f()", "presence", "present", "absent"),
        [logged("CREATE FUNCTION f()", "public.f()", filename="001.sql")],
        None,
    ),
    (
        "nobody is blamed for another column",
        difference("column", "public.users.x", "presence", "absent", "present"),
        [logged("ALTER TABLE users ADD y int")],
        None,
    ),
    (
        "nobody is blamed for a longer name",
        difference("column", "public.users.x", "presence", "absent", "present"),
        [logged("ALTER TABLE users ADD x_long int")],
        None,
    ),
    (
        "files of the history have no author",
        Difference(Source.HISTORY, "file", "users", "state", "applied", "failed", Severity.ERROR),
        [logged("ALTER TABLE users ADD y int", "users")],
        None,
    ),
]


@pytest.mark.parametrize(("one", "changes", "statement"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_whom_a_difference_is_laid_to(one: Difference, changes: list[LoggedChange], statement: str | None) -> None:
    (told,) = attribute([one], changes)
    assert told.changed == (None if statement is None else Change(NOW, "alice", "psql", statement))


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        ("public.users", "public.users"),
        ("p on public.users", "public.users.p"),
        ('"My Policy" on public."My Table"', 'public."My Table"."My Policy"'),
        ("public.f(pg_catalog.text,integer)", "public.f(text,integer)"),
    ],
)
def test_the_logs_identities_are_read_as_the_catalogs(identity: str, name: str) -> None:
    assert normal(identity) == name


def test_the_names_of_a_part_are_its_own_and_its_tables() -> None:
    one = difference("constraint", 'public."T.x".k', "presence", "present", "absent")
    assert names_of(one) == ('public."T.x".k', "public.k", 'public."T.x"')
    assert [plain_part(name) for name in names_of(one)] == ["k", "k", "T.x"]
