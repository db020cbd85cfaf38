"""A file cannot see its predecessor's session: whatever it leaves behind is gone, and what was there before is back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections
from django.db.backends.signals import connection_created

from sqlmigrations.database import fetch_row, raw
from sqlmigrations.runner.session import RUNNING, Session
from sqlmigrations.service.apply import ApplyOptions, apply
from tests.databases import assuming
from tests.helpers import applysql, dump, put, role, rows, run_sql, states, tables, value

DUMPS = Path(__file__).parent / "dumps"

#: What the second file sees of the session, as a table of names and values.
LOOK = """
CREATE TABLE IF NOT EXISTS seen (name text, value text);
INSERT INTO seen
SELECT name, current_setting(name)
  FROM unnest(ARRAY['search_path', 'session_replication_role', 'role', 'TimeZone', 'lock_timeout', 'DateStyle',
                    'client_encoding', 'row_security', 'check_function_bodies', 'client_min_messages',
                    'statement_timeout', 'default_table_access_method', 'xmloption']) AS name
UNION ALL SELECT 'session_user', session_user
UNION ALL SELECT 'current_user', current_user
UNION ALL SELECT 'temporary tables', count(*)::text FROM pg_class WHERE relpersistence = 't'
UNION ALL SELECT 'advisory locks of the file', count(*)::text
    FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND classid = 0
UNION ALL SELECT 'cursors', count(*)::text FROM pg_cursors
UNION ALL SELECT 'channels', count(*)::text FROM pg_listening_channels()
UNION ALL SELECT 'prepared statements', count(*)::text FROM pg_prepared_statements
UNION ALL SELECT 'own setting', coalesce(current_setting('app.tenant', true), '');
"""


def seen() -> dict[str, str]:
    found = dict(rows("SELECT name, value FROM public.seen"))
    run_sql("DROP TABLE public.seen")
    return found


@pytest.fixture
def clean(ready_database: str, folder: Path) -> dict[str, str]:
    """What a file sees that nobody was before; the file is applied."""
    put(folder, {"000_look.sql": LOOK})
    assert applysql().code == 0
    return seen()


@pytest.mark.parametrize(
    "leftover",
    [
        "SELECT pg_catalog.set_config('search_path', '', false);",
        "SET search_path = pg_catalog;",
        "SET session_replication_role = replica;",
        "SET TIME ZONE 'Asia/Tokyo';",
        "SET DateStyle = 'German';",
        "SET client_encoding = 'LATIN1';",
        "SET lock_timeout = '1ms'; SET statement_timeout = '1d';",
        "SET row_security = off; SET check_function_bodies = false; SET client_min_messages = error;",
        "CREATE TEMPORARY TABLE sqlm_temporary (id int);",
        "SELECT pg_advisory_lock(7); SELECT pg_advisory_lock(8, 9); SELECT pg_advisory_lock_shared(10);",
        "DECLARE sqlm_cursor CURSOR WITH HOLD FOR SELECT 1;",
        "LISTEN sqlm_channel;",
        "PREPARE sqlm_plan AS SELECT 1;",
        "SET app.tenant = '7';",
        "SET LOCAL app.tenant = '7';",
        "SET ROLE pg_monitor;",
        "SET SESSION AUTHORIZATION pg_monitor;",
    ],
)
@pytest.mark.parametrize("transaction", ["on", "off"])
def test_what_a_file_leaves_behind_is_gone(
    clean: dict[str, str], folder: Path, leftover: str, transaction: str
) -> None:
    put(folder, {"001.sql": f"-- sqlmigrations: transaction {transaction}\n{leftover}\n", "002_look.sql": LOOK})
    ran = applysql()
    assert (ran.code, states()) == (0, dict.fromkeys(["000_look.sql", "001.sql", "002_look.sql"], "applied"))
    assert seen() == clean


@pytest.mark.parametrize("transaction", ["on", "off"])
def test_what_a_failed_file_leaves_behind_is_gone(clean: dict[str, str], folder: Path, transaction: str) -> None:
    put(
        folder,
        {
            "001.sql": f"-- sqlmigrations: transaction {transaction}\n"
            "SET search_path = pg_catalog; SELECT pg_advisory_lock(7); PREPARE sqlm_plan AS SELECT 1; "
            "CREATE TEMPORARY TABLE sqlm_temporary (id int); SET app.tenant = '7'; SELECT 1/0;",
            "002_look.sql": LOOK,
        },
    )
    applysql()
    assert states()["001.sql"] != "applied"
    assert states()["002_look.sql"] == "applied"
    assert seen() == clean


def test_the_time_zone_and_other_start_values_stay(ready_database: str, folder: Path) -> None:
    """RESET ALL alone would bring back the server's values, not those that Django and its receivers had set."""

    def greet(connection: object, **kwargs: object) -> None:
        raw(connections["default"]).execute("SET application_name = 'it''s %'; SET work_mem = '7MB'")

    connection_created.connect(greet)
    try:
        put(
            folder,
            {
                "001.sql": "SET TIME ZONE 'Asia/Tokyo'; SET application_name = '8'; SET work_mem = '8MB';",
                "002.sql": "CREATE TABLE zone AS SELECT current_setting('TimeZone') AS zone, "
                "current_setting('application_name') AS application, current_setting('work_mem') AS work_mem;",
            },
        )
        assert applysql().code == 0
    finally:
        connection_created.disconnect(greet)
    assert rows("SELECT * FROM zone") == [("UTC", "it's %", "7MB")]


@pytest.fixture
def assumed(fresh_database: str) -> Iterator[str]:
    """The alias assumes a role that is neither the login role nor a superuser."""
    with role() as name:
        run_sql(f"GRANT CREATE ON SCHEMA public TO {name}; GRANT CREATE ON DATABASE {fresh_database} TO {name}")
        with assuming(name):
            yield name


def test_an_assumed_role_is_kept(assumed: str, folder: Path) -> None:
    put(
        folder,
        {
            "001.sql": "CREATE TABLE one (id int); RESET ROLE;",
            "002.sql": "CREATE TABLE two (id int); SET SESSION AUTHORIZATION DEFAULT;",
            "003.sql": "CREATE TABLE three (id int); SELECT 1/0;",
            "004.sql": "CREATE TABLE four (id int);",
        },
    )
    assert applysql().code == 1
    owners = dict(rows("SELECT tablename::text, tableowner::text FROM pg_tables WHERE schemaname = 'public'"))
    assert {owners["one"], owners["two"], owners["four"]} == {assumed}
    assert set(rows("SELECT DISTINCT role FROM sqlmigrations_migrationevent")) == {(assumed,)}
    assert set(rows("SELECT DISTINCT applied_by FROM sqlmigrations_migrationrecord")) == {(assumed,)}


def test_a_search_path_of_the_role_or_the_database_stays(fresh_database: str, folder: Path) -> None:
    run_sql(f'CREATE SCHEMA app; ALTER DATABASE "{fresh_database}" SET search_path = app')
    connections["default"].close()
    put(
        folder,
        {
            "001.sql": "SELECT set_config('search_path', '', false);",
            "002.sql": "CREATE TABLE in_app (id int);",
        },
    )
    assert applysql().code == 0
    assert "in_app" in tables("app")
    assert value("SELECT count(*) FROM app.sqlmigrations_migrationrecord") == 2


def test_backslashes_are_read_as_the_file_was_split(fresh_database: str, folder: Path) -> None:
    run_sql(f'ALTER DATABASE "{fresh_database}" SET standard_conforming_strings = off')
    connections["default"].close()
    put(
        folder,
        {
            "001.sql": "CREATE TABLE paths (path text); INSERT INTO paths VALUES ('C:\\'); "
            "INSERT INTO paths VALUES ('\\w');",
            "002.sql": "-- sqlmigrations: transaction off\nINSERT INTO paths VALUES ('D:\\');",
        },
    )
    assert applysql().code == 0
    assert rows("SELECT path FROM paths") == [("C:\\",), (r"\w",), ("D:\\",)]


def test_the_connection_is_left_as_it_was_found(ready_database: str, folder: Path) -> None:
    connection = raw(connections["default"])
    show = "SELECT name, setting FROM pg_settings WHERE name NOT LIKE 'plpgsql.%' ORDER BY 1"
    before = connection.execute(show).fetchall()
    put(folder, {"001.sql": "SET work_mem = '7MB'; CREATE TABLE t (id int);"})
    apply(ApplyOptions())
    assert raw(connections["default"]) is connection
    assert connection.autocommit
    assert connection.execute(show).fetchall() == before


@pytest.mark.parametrize("options", [[], ["--clean", "--if-exists"], ["--inserts"]], ids=" ".join)
def test_a_dump_as_the_first_file(fresh_database: str, folder: Path, options: list[str]) -> None:
    """A dump empties search_path and, with data, turns triggers off; what follows sees a clean session."""
    run_sql(
        "CREATE SCHEMA app; CREATE TABLE users (id int PRIMARY KEY, name text DEFAULT 'it''s'); "
        "CREATE TABLE app.posts (id int REFERENCES users, body text); "
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$; "
        "CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION f(); "
        "INSERT INTO users VALUES (1, E'tab\\there'), (2, NULL), (3, E'back\\\\slash'); "
        "INSERT INTO app.posts VALUES (1, 'x;y'), (2, E'line\\nbreak')"
    )
    text = dump("default", *options)
    assert "set_config('search_path', '', false)" in text
    tail = "SET session_replication_role = replica;\n"
    put(folder, {"001_dump.sql": text + tail, "002_look.sql": LOOK})
    run_sql("DROP SCHEMA app CASCADE; DROP TABLE users; DROP FUNCTION f")

    ran = applysql()
    assert (ran.err, ran.code) == ("", 0)
    assert states() == {"001_dump.sql": "applied", "002_look.sql": "applied"}
    assert rows("SELECT * FROM users ORDER BY id") == [(1, "tab\there"), (2, None), (3, "back\\slash")]
    assert rows("SELECT * FROM app.posts ORDER BY id") == [(1, "x;y"), (2, "line\nbreak")]
    found = seen()
    assert found["search_path"] == '"$user", public'
    assert found["session_replication_role"] == "origin"


@pytest.mark.parametrize("version", [15, 18])
def test_dumps_of_old_and_new_servers_on_this_one(ready_database: str, folder: Path, version: int) -> None:
    dumped = (DUMPS / f"pg_dump_{version}.sql").read_text()
    put(folder, {"001_dump.sql": dumped + "SET session_replication_role = replica;\n", "002_look.sql": LOOK})
    ran = applysql()
    if version > 16 and raw(connections["default"]).info.server_version < 170000:
        # Its own psql could not load it either: the setting came with 17.
        error = '001_dump.sql:13: unrecognized configuration parameter "transaction_timeout" [42704]'
        assert (ran.code, error in ran.out) == (1, True)
        return
    assert (ran.err, ran.code) == ("", 0)
    assert rows("SELECT * FROM users ORDER BY id") == [
        (1, "tab\there"),
        (2, "back\\slash"),
        (3, "line\nbreak"),
        (4, "é€😀"),
    ]
    assert rows("SELECT author, body FROM app.posts ORDER BY id") == [(1, "x;y"), (2, None), (4, "\\.")]
    assert rows("SELECT two(), obj_description('users'::regclass)") == [(2, "who's who; -- really")]
    found = seen()
    assert (found["search_path"], found["session_replication_role"]) == ('"$user", public', "origin")


@pytest.mark.parametrize("take_on", ["SET ROLE", "SET SESSION AUTHORIZATION"])
def test_a_role_lasts_to_the_end_of_a_file_outside_a_transaction(
    ready_database: str, folder: Path, take_on: str
) -> None:
    """Its checkpoints are written in between, by the role that the run began with."""
    with role() as name:
        run_sql(f"GRANT CREATE ON SCHEMA public TO {name}")
        put(
            folder,
            {
                "001.sql": f"-- sqlmigrations: transaction off\n{take_on} {name};\nCREATE TABLE theirs (id int);\n"
                "CREATE INDEX CONCURRENTLY theirs_id ON theirs (id);\nCREATE TABLE too (id int);\nRESET ROLE;\n"
                "RESET SESSION AUTHORIZATION;\nCREATE TABLE ours (id int);\n",
            },
        )
        assert applysql().code == 0
        owners = rows("SELECT tablename FROM pg_tables WHERE tableowner = %s ORDER BY 1", name)
        assert owners == [("theirs",), ("too",)]
        assert tables() == ["ours", "theirs", "too"]


def test_the_record_finds_its_table_whatever_became_of_the_search_path(ready_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE SCHEMA elsewhere; SET search_path = elsewhere; CREATE TABLE t (id int);"})
    assert applysql().code == 0
    assert states() == {"001.sql": "applied"}
    assert tables("elsewhere") == ["t"]


def test_what_a_platform_does_not_allow_is_left_out(ready_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not every system can tell that a client is gone: the other settings count all the same."""
    monkeypatch.setitem(RUNNING, "client_connection_check_interval", "never")
    wrapper = connections["default"]
    connection = raw(wrapper)
    shown = [f"SHOW {name}" for name in RUNNING]
    connection.execute("SET idle_session_timeout = '1h'")
    session = Session(wrapper)
    assert [fetch_row(connection, show) for show in shown] == [("0",), ("0",), ("on",)]
    assert session.start.role == "none"
    session.end()
    assert [fetch_row(connection, show) for show in shown] == [("0",), ("1h",), ("on",)]
