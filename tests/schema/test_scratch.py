"""Tests of scratch databases: what they are like, that they are always removed, and when there can be none."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from project.env import BASE_DIR
from project.postgres import database_url
from sqlmigrations.database import raw
from sqlmigrations.schema import given_database, likeness
from sqlmigrations.schema import scratch as module
from sqlmigrations.schema.catalog import read_catalog
from sqlmigrations.schema.scratch import NoScratch, Server, scratch_database
from sqlmigrations.schema.stand_in import OutsideScratch, pointed_at
from tests.databases import new_database, session
from tests.helpers import PATIENCE, Settings, database_name, role, rows, run_sql, value, wait_until


def databases() -> set[str]:
    """Return the names of all scratch databases on the server, those of other tests included."""
    return {name for (name,) in rows("SELECT datname FROM pg_database WHERE datname ~ '^sqlmigrations_scratch_'")}


def test_it_is_empty_and_gone_afterwards(live: BaseDatabaseWrapper) -> None:
    run_sql("CREATE TABLE kept (id int)")
    with scratch_database(live, "a test") as scratch:
        assert scratch.name in databases()
        scratch.connection.execute("CREATE TABLE tried (id int)")
        assert scratch.connection.execute("SELECT to_regclass('kept'), current_database()").fetchone() == (
            None,
            scratch.name,
        )
    assert scratch.name not in databases()
    assert scratch.wrapper.connection is None
    assert rows("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'") == [("kept",)]


def test_it_is_gone_after_an_error_and_with_sessions_left_open(live: BaseDatabaseWrapper) -> None:
    left: list[BaseDatabaseWrapper] = []

    def fail() -> None:
        with scratch_database(live, "a test") as scratch:
            left.append(pointed_at(scratch.wrapper, scratch.name))
            left[0].connect()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    left[0].close()
    assert left[0].settings_dict["NAME"] not in databases()


def test_it_is_gone_when_its_maker_lost_the_connection(live: BaseDatabaseWrapper) -> None:
    with scratch_database(live, "a test") as scratch:
        statement = """
            SELECT pid FROM pg_stat_activity WHERE application_name = 'sqlmigrations scratch' AND datname = %s
        """
        pids = rows(statement, database_name())
        assert len(pids) == 2, "the one that makes, and the one that holds the lock"
        for (pid,) in pids:
            value("SELECT pg_terminate_backend(%s, 10000)", pid)
    assert scratch.name not in databases()


def test_it_is_like_the_live_one(live: BaseDatabaseWrapper) -> None:
    with live._nodb_cursor() as cursor:
        cursor.execute(f'ALTER DATABASE {database_name()} SET search_path = app, "Odd, one", public')
        cursor.execute(f"ALTER DATABASE {database_name()} SET default_text_search_config = 'pg_catalog.german'")
    live.close()
    live.ensure_connection()
    statement = """
        SELECT current_setting('search_path'), current_setting('default_text_search_config'),
               (to_jsonb(d) - '{oid,datname,datfrozenxid,datminmxid,dattablespace}'::text[])::text
          FROM pg_database d WHERE datname = current_database()
    """
    expected = rows(statement)
    with scratch_database(live, "a test") as scratch:
        assert scratch.connection.execute(statement.encode()).fetchall() == expected
    assert expected[0][0] == 'app, "Odd, one", public'


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ('"$user", public', ["$user", "public"]),
        ('app, "Odd, one", "with "" in it"', ["app", "Odd, one", 'with " in it']),
        ('""', [""]),
    ],
)
def test_names_are_split_as_postgresql_lists_them(value: str, names: list[str]) -> None:
    assert likeness._names(value) == names


def test_people_can_tell_what_it_is_for(live: BaseDatabaseWrapper) -> None:
    statement = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
    with scratch_database(live, "a test") as scratch:
        comment = value(statement, scratch.name)
    assert comment.startswith(f"Scratch database of sqlmigrations for: a test (pid {os.getpid()} on ")
    assert comment.endswith(" UTC). It can be dropped when that is done.")


# Standing in


def test_it_stands_in_for_the_live_database_in_this_thread_alone(live: BaseDatabaseWrapper) -> None:
    def here() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_database()")
            return str(cursor.fetchone()[0])

    def elsewhere() -> None:
        seen.append(connections["default"].settings_dict["NAME"])

    seen: list[str] = []
    with scratch_database(live, "a test") as scratch:
        with scratch.standing_in(), transaction.atomic(durable=True):
            assert here() == scratch.name
            thread = threading.Thread(target=elsewhere)
            thread.start()
            thread.join()
        assert here() == database_name()
    assert seen == [database_name()]
    assert connections["default"] is live


def test_other_databases_are_closed_while_it_stands_in(live: BaseDatabaseWrapper) -> None:
    kept = connections["other"]
    with scratch_database(live, "a test") as scratch, scratch.standing_in():
        with pytest.raises(OutsideScratch) as refused:
            connections["other"].cursor()
        with pytest.raises(OutsideScratch):
            connections["other"].ensure_connection()
    assert str(refused.value) == (
        "A scratch database stands in for the live one, and something wanted to use database 'other'.\n"
        "  A migration that works on several databases at once can't be replayed."
    )
    assert connections["other"] is kept


def test_another_alias_of_the_live_database_means_the_scratch_one_too(
    live: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections["other"].settings_dict, "NAME", database_name())
    with scratch_database(live, "a test") as scratch, scratch.standing_in():
        assert connections["other"].settings_dict["NAME"] == scratch.name


# Left-overs

CHILD = """
import sys, django
django.setup()
from django.db import connections
from sqlmigrations.schema.scratch import scratch_database
connections["default"].ensure_connection()
with scratch_database(connections["default"], "a test that is killed") as scratch:
    print(scratch.name, flush=True)
    sys.stdin.read()
"""


@pytest.mark.processes
def test_what_a_killed_run_left_is_removed_by_the_next_one(live: BaseDatabaseWrapper) -> None:
    variables = {**os.environ, "DATABASE_URL": database_url(database_name())}
    with subprocess.Popen(
        [sys.executable, "-c", CHILD],
        env=variables,
        cwd=BASE_DIR,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        name = child.stdout.readline().strip()
        with scratch_database(live, "a test") as scratch:
            assert {name, scratch.name} <= databases(), "a living run's database stays"
        child.kill()
        child.wait(timeout=PATIENCE)
    sessions = "SELECT FROM pg_stat_activity WHERE application_name = 'sqlmigrations scratch' AND datname IN (%s, %s)"
    wait_until(lambda: not rows(sessions, name, database_name()))
    with scratch_database(live, "a test"):
        assert name not in databases()


def test_databases_of_people_are_never_taken_for_left_overs(live: BaseDatabaseWrapper) -> None:
    with new_database(f"sqlmigrations_scratch_{os.getpid()}_mine") as name:
        assert name not in module.reap(raw(live))
        assert name in databases()


def test_only_a_scratch_database_is_dropped(live: BaseDatabaseWrapper) -> None:
    with pytest.raises(ValueError, match="is no scratch database"):
        module._drop_database(raw(live), database_name())


# Refusals


def refusal(live: BaseDatabaseWrapper) -> tuple[str, str]:
    """Return the words with which a scratch database is refused."""
    with pytest.raises(NoScratch) as refused, scratch_database(live, "a test"):
        pass
    return refused.value.reason, refused.value.remedy


def test_none_where_production_is_set(live: BaseDatabaseWrapper, settings: Settings) -> None:
    settings.SQLMIGRATIONS_PRODUCTION = True
    assert refusal(live) == (
        "SQLMIGRATIONS_PRODUCTION is set",
        "Do it where it is not: on a developer's machine, in CI, in staging.",
    )


def test_none_for_a_role_that_may_not_create_databases(live: BaseDatabaseWrapper) -> None:
    with role("LOGIN") as name:
        own = live.copy()
        own.settings_dict["USER"] = name
        try:
            assert refusal(own) == (
                f'role "{name}" may not create databases',
                f'ALTER ROLE "{name}" CREATEDB; or name an alias whose role may in SQLMIGRATIONS_SHADOW_DATABASE.',
            )
        finally:
            own.close()


def test_a_role_with_createdb_is_enough(live: BaseDatabaseWrapper) -> None:
    with role("LOGIN CREATEDB") as name:
        own = live.copy()
        own.settings_dict["USER"] = name
        try:
            with scratch_database(own, "a test") as scratch:
                assert scratch.connection.execute("SELECT current_user::text").fetchone() == (name,)
        finally:
            own.close()


def test_it_is_made_where_the_shadow_alias_leads(live: BaseDatabaseWrapper, settings: Settings) -> None:
    settings.SQLMIGRATIONS_SHADOW_DATABASE = "other"
    shadow = connections["other"].settings_dict
    with role("LOGIN CREATEDB") as name, pytest.MonkeyPatch.context() as patch:
        patch.setitem(shadow, "USER", name)
        patch.setitem(shadow, "NAME", "postgres")
        connections["other"].close()
        with scratch_database(live, "a test") as scratch:
            assert scratch.connection.execute("SELECT current_user::text").fetchone() == (name,)
            assert scratch.wrapper.alias == "default"


def test_none_where_the_shadow_server_is_away(live: BaseDatabaseWrapper, settings: Settings) -> None:
    settings.SQLMIGRATIONS_SHADOW_DATABASE = "other"
    given = connections["other"].settings_dict
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(given, "HOST", "127.0.0.1")
        patch.setitem(given, "PORT", "1")
        reason, remedy = refusal(live)
    assert reason.startswith(f"database {given['NAME']} can't be reached: connection failed: ")
    assert remedy == (
        "Look at DATABASES['other'], which SQLMIGRATIONS_SHADOW_DATABASE names, and whether its server runs."
    )


@pytest.mark.parametrize(
    ("alias", "answer"),
    [
        (
            "nowhere",
            (
                "SQLMIGRATIONS_SHADOW_DATABASE names the database 'nowhere', which DATABASES doesn't have",
                "Name one of DATABASES, or leave the setting out.",
            ),
        ),
    ],
)
def test_none_where_the_shadow_alias_is_wrong(
    live: BaseDatabaseWrapper, settings: Settings, alias: str, answer: tuple[str, str]
) -> None:
    settings.SQLMIGRATIONS_SHADOW_DATABASE = alias
    assert refusal(live) == answer


def server(**changes: object) -> Server:
    values = {
        "server": "1",
        "database": 5,
        "name": "shop",
        "major": 18,
        "is_standby": False,
        "may_create": True,
        "role": "ann",
    }
    return Server(**{**values, **changes})  # type: ignore[arg-type]  # a table of values


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        (server(is_standby=True), "the server is a standby, which is read only"),
        (server(major=15), "SQLMIGRATIONS_SHADOW_DATABASE is PostgreSQL 15, the live database 18"),
    ],
)
def test_none_on_a_server_that_is_not_fit(host: Server, reason: str) -> None:
    with pytest.raises(NoScratch) as refused:
        module._check(host, server(), on_shadow=True)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(server(), id="the live database, to which a pooler leads every name"),
        pytest.param(server(name="scratch"), id="the live database under another name"),
        pytest.param(server(name="scratch", server=None), id="perhaps the live one: the server doesn't tell"),
        pytest.param(server(name="scratch", database=7), id="not the one that was made"),
    ],
)
def test_a_session_that_may_be_in_another_database_is_refused(found: Server) -> None:
    with pytest.raises(NoScratch, match=r"the connection to scratch leads to database"):
        module._check_is_it(found, "scratch", 5 if found.server is None else 6, server())


def test_a_new_database_is_told_from_the_live_one() -> None:
    module._check_is_it(server(name="scratch", database=6), "scratch", 6, server())
    module._check_is_it(server(name="scratch", database=5, server="2"), "scratch", 5, server())


@pytest.fixture
def shadow(live: BaseDatabaseWrapper, settings: Settings) -> Iterator[str]:
    """Make a database that the alias ``other`` leads to, with a role that owns it and may create none."""
    wrapper = connections["other"]
    kept = dict(wrapper.settings_dict)
    name = f"sqlm_shadow_{os.getpid()}"
    with role("LOGIN") as owner:
        with session() as server:
            server.execute(f"CREATE DATABASE {name} OWNER {owner} TEMPLATE template0".encode())
        if has_to_be_handed_over():
            with session(dbname=name) as server:
                server.execute(f"ALTER SCHEMA public OWNER TO {owner}".encode())
        wrapper.close()
        wrapper.settings_dict |= {"NAME": name, "USER": owner}
        settings.SQLMIGRATIONS_SHADOW_DATABASE = "other"
        try:
            yield name
        finally:
            wrapper.close()
            wrapper.settings_dict |= kept
            with session() as server:
                server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def has_to_be_handed_over() -> bool:
    """Tell whether ``public`` belongs to who made the server, as until PostgreSQL 14."""
    with session() as server:
        return server.info.server_version < 150000


def held(name: str) -> list[tuple[Any, ...]]:
    """Return what the shadow database holds."""
    wrapper = connections["other"]
    wrapper.ensure_connection()
    return raw(wrapper).execute("SELECT relname::text FROM pg_class WHERE relname ~ '^mine'").fetchall()


def mark(name: str, text: str = given_database.MARK) -> None:
    run_sql(f"COMMENT ON DATABASE {name} IS '{text}'")


def test_a_database_that_says_so_is_emptied_and_used_by_a_role_that_may_make_none(
    live: BaseDatabaseWrapper, shadow: str
) -> None:
    mark(shadow)
    held(shadow)
    raw(connections["other"]).execute("CREATE SCHEMA attic; CREATE TABLE attic.mine (); CREATE TABLE mine_too ()")
    as_new = read_catalog(raw(live))
    with scratch_database(live, "a test") as scratch:
        assert (scratch.name, scratch.wrapper.alias) == (shadow, "default")
        schemas = [dict(read_catalog(each).objects[given_database.PUBLIC]) for each in (scratch.connection, raw(live))]
        if has_to_be_handed_over():
            schemas[0]["owner"] = schemas[1]["owner"]
        assert schemas[0] == schemas[1]
        assert held(shadow) == []
        scratch.connection.execute("CREATE TABLE mine_again (); CREATE TYPE mine AS ENUM ('a')")
    assert held(shadow) == []
    with pytest.raises(psycopg.errors.DuplicateTable), scratch_database(live, "a test") as scratch:
        scratch.connection.execute("CREATE TABLE mine_again (); CREATE TABLE mine_again ()")
    assert held(shadow) == []
    assert read_catalog(raw(live)) == as_new


def test_a_database_that_does_not_say_so_is_left_alone(live: BaseDatabaseWrapper, shadow: str) -> None:
    held(shadow)
    raw(connections["other"]).execute("CREATE TABLE mine ()")
    owner = connections["other"].settings_dict["USER"]
    for text in ("", given_database.MARK.upper()):
        mark(shadow, text)
        assert refusal(live) == (
            f'role "{owner}" may not create databases, and "{shadow}" can\'t be used itself: '
            "its comment doesn't say that it may be emptied",
            f'ALTER ROLE "{owner}" CREATEDB; or let it own "{shadow}", with nothing in it that matters, and say so: '
            f"COMMENT ON DATABASE \"{shadow}\" IS 'sqlmigrations may empty this database';",
        )
    assert held(shadow) == [("mine",)]


def test_the_live_database_is_never_emptied_whatever_it_says(live: BaseDatabaseWrapper, shadow: str) -> None:
    mark(shadow)
    own = live.copy()
    own.settings_dict |= {"NAME": shadow, "USER": connections["other"].settings_dict["USER"]}
    held(shadow)
    raw(connections["other"]).execute("CREATE TABLE mine ()")
    try:
        assert refusal(own)[0] == f'SQLMIGRATIONS_SHADOW_DATABASE leads to "{shadow}", the live database'
    finally:
        own.close()
    assert held(shadow) == [("mine",)]


def test_a_database_in_use_is_not_used_twice(live: BaseDatabaseWrapper, shadow: str) -> None:
    mark(shadow)
    with scratch_database(live, "a test") as scratch:
        scratch.connection.execute("CREATE TABLE mine ()")
        assert refusal(live)[0].endswith("can't be used itself: another process is using it")
        assert held(shadow) == [("mine",)]


def test_a_database_whose_role_does_not_own_all_in_it_is_not_used(live: BaseDatabaseWrapper, shadow: str) -> None:
    mark(shadow)
    own = connections["default"].copy()
    own.settings_dict["NAME"] = shadow
    own.ensure_connection()
    raw(own).execute("CREATE SCHEMA theirs")
    own.close()
    assert "must be owner of" in refusal(live)[0]
