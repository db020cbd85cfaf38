"""Files that can't be run: a clear message, exit code 2, and a database that nobody touched."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from django.db import connections

from sqlmigrations.exceptions import DatabaseUnavailable, InvalidFiles
from sqlmigrations.service.apply import ApplyOptions, apply
from sqlmigrations.service.gather import read_disk
from sqlmigrations.signals import migration_started
from tests.helpers import Ran, Settings, applysql, catalog, put, role, run_sql, states, value

#: A good file before each bad one: it must not run either.
GOOD = {"000_good.sql": "CREATE TABLE good (id int);"}

TRANSACTION = "Each file runs in a transaction of its own, together with its record: remove it. SAVEPOINT is allowed."
OFF = 'Put "-- sqlmigrations: transaction off" at the top of the file.'

BAD: list[tuple[str, Mapping[str, str | bytes], str]] = [
    (
        "not UTF-8",
        {"001.sql": "SELECT 1;\nSELECT 'caf\xe9';".encode("latin-1")},
        "001.sql:2: not UTF-8: 0xE9 at byte 22\n  Save the file as UTF-8.",
    ),
    (
        "a NUL byte",
        {"001.sql": b"SELECT 1;\n\nSELECT '\0';"},
        "001.sql:3: not text: a NUL byte at byte 20\n  PostgreSQL accepts no NUL; remove it, or save the file as "
        "UTF-8.",
    ),
    (
        "UTF-16",
        {"001.sql": "SELECT 1".encode("utf-16")},
        "001.sql:1: not text: a NUL byte at byte 4\n  PostgreSQL accepts no NUL; remove it, or save the file as UTF-8.",
    ),
    (
        "an unterminated string",
        {"001.sql": "SELECT 1;\n\nSELECT\n 'open;\nSELECT 2;\n"},
        "001.sql:4: unterminated string\n  Close it with '.",
    ),
    (
        "an unterminated identifier",
        {"001.sql": '\nSELECT "open;\n'},
        '001.sql:2: unterminated quoted identifier\n  Close it with ".',
    ),
    (
        "an unterminated dollar quote",
        {"001.sql": "SELECT 1;\nDO $body$\nBEGIN\nEND $bdoy$;\n"},
        "001.sql:2: unterminated dollar quote $body$\n  Close it with $body$.",
    ),
    (
        "an unterminated comment",
        {"001.sql": "SELECT 1;\n/* one /* two */\nSELECT 2;\n"},
        "001.sql:2: unterminated comment\n  Close it with */; comments nest.",
    ),
    (
        "an unterminated COPY block",
        {"001.sql": "CREATE TABLE t (id int);\nCOPY t FROM stdin;\n1\n2\n"},
        "001.sql:2: unterminated COPY block\n  End the data with a line that holds only \\.",
    ),
    (
        "an unknown directive",
        {"001.sql": "-- why\n-- sqlmigrations: transactions off\nSELECT 1;"},
        "001.sql:2: unknown directive 'transactions'\n  Known are: requires, transaction, isolation, lock_timeout, "
        "statement_timeout, retries, batch, pause, max_lag, allow, tags, sensitive.",
    ),
    (
        "a directive's bad value",
        {"001.sql": "-- sqlmigrations: lock_timeout soon\nSELECT 1;"},
        "001.sql:1: directive 'lock_timeout' can't be 'soon'\n  Write a time as PostgreSQL does: 3s, 500ms, 10min, or "
        "0 for no limit.",
    ),
    (
        "a directive below the first statement",
        {"001.sql": "SELECT 1;\n-- sqlmigrations: transaction off\nSELECT 2;"},
        "001.sql:2: a directive below the first statement has no effect\n  Move it to the top of the file, or reword "
        "the comment.",
    ),
    (
        "a psql command",
        {"001.sql": "SELECT 1;\n\\i other.sql\n"},
        "001.sql:2: \\i is a command of psql, not SQL\n  Remove it: a file goes to the server, which knows no "
        "backslash commands.",
    ),
    ("COMMIT", {"001.sql": "SELECT 1;\nCOMMIT;\nSELECT 2;"}, f"001.sql:2: COMMIT inside a file\n  {TRANSACTION}"),
    ("ROLLBACK", {"001.sql": "SELECT 1;\nrollback"}, f"001.sql:2: ROLLBACK inside a file\n  {TRANSACTION}"),
    ("BEGIN", {"001.sql": "SELECT 1;\nBEGIN;\n"}, f"001.sql:2: BEGIN inside a file\n  {TRANSACTION}"),
    ("END", {"001.sql": "/* a */ SELECT 1; END;"}, f"001.sql:1: END inside a file\n  {TRANSACTION}"),
    (
        "PREPARE TRANSACTION",
        {"001.sql": "SELECT 1;\nPREPARE TRANSACTION 'x';"},
        f"001.sql:2: PREPARE TRANSACTION inside a file\n  {TRANSACTION}",
    ),
    (
        "SET TRANSACTION",
        {"001.sql": "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;"},
        f"001.sql:1: SET TRANSACTION inside a file\n  {TRANSACTION}",
    ),
    (
        "a transaction without its end",
        {"001.sql": "\nBEGIN;\nSELECT 1;"},
        "001.sql:2: the transaction that begins here is never committed\n  Remove BEGIN: each file runs in a "
        "transaction of its own.",
    ),
    (
        "what can't run in a transaction",
        {"001.sql": "CREATE TABLE t (id int);\nCREATE INDEX CONCURRENTLY i ON t (id);"},
        f"001.sql:2: CREATE INDEX CONCURRENTLY cannot run inside a transaction\n  {OFF}",
    ),
    ("VACUUM", {"001.sql": "VACUUM;"}, f"001.sql:1: VACUUM cannot run inside a transaction\n  {OFF}"),
    (
        "a bad verify script",
        {"001.sql": "SELECT 1;", "001.verify.sql": "SELECT true;\nCOMMIT;"},
        f"001.verify.sql:2: COMMIT inside a file\n  {TRANSACTION}",
    ),
    (
        "a bad down script",
        {"001.sql": "SELECT 1;", "001.down.sql": "SELECT 'open"},
        "001.down.sql:1: unterminated string\n  Close it with '.",
    ),
    (
        "an unknown requirement",
        {"001.sql": "-- sqlmigrations: requires 000_god.sql\nSELECT 1;"},
        "001.sql: requires 000_god.sql, which no SQL file is called\n  Did you mean 000_good.sql?",
    ),
    (
        "an unknown Django migration",
        {"001.sql": "-- sqlmigrations: requires django:auth.0099_none\nSELECT 1;"},
        "001.sql: requires the Django migration auth.0099_none, which does not exist\n  Look at: manage.py "
        "showmigrations auth",
    ),
    (
        "a circle",
        {
            "001.sql": "-- sqlmigrations: requires repeatable/a.sql\nSELECT 1;",
            "repeatable/a.sql": "-- sqlmigrations: requires 001.sql\nSELECT 1;",
        },
        "001.sql: these files wait for each other: 001.sql -> repeatable/a.sql -> 001.sql\n  Each runs after the one "
        "behind its arrow: remove a 'requires', or rename a file.",
    ),
    (
        "numbers of different width",
        {"01.sql": "SELECT 1;"},
        "01.sql: numbers of different width sort wrongly by name: 000_good.sql, 01.sql\n  Pad them with zeros, or set "
        'SQLMIGRATIONS_ORDER = "number".',
    ),
    (
        "all problems of all files at once",
        {"001.sql": "COMMIT;\nROLLBACK;", "002.sql": "SELECT 'open"},
        f"001.sql:1: COMMIT inside a file\n  {TRANSACTION}\n001.sql:2: ROLLBACK inside a file\n  {TRANSACTION}\n"
        "002.sql:1: unterminated string\n  Close it with '.",
    ),
]


@pytest.mark.parametrize(("files", "message"), [pytest.param(*case[1:], id=case[0]) for case in BAD])
def test_bad_input_runs_nothing(
    fresh_database: str, folder: Path, files: Mapping[str, str | bytes], message: str
) -> None:
    put(folder, {**GOOD, **files})
    before = catalog()
    for arguments in ([], ["--plan"], ["--check"], ["--fail-fast", "-v", "0"]):
        assert applysql(*arguments) == Ran("", f"CommandError: {message}\n", 2)
    assert catalog() == before


@pytest.mark.parametrize(("files", "message"), [pytest.param(*case[1:], id=case[0]) for case in BAD[3:5]])
def test_bad_input_among_applied_files_changes_nothing(
    fresh_database: str, folder: Path, files: Mapping[str, str | bytes], message: str
) -> None:
    put(folder, GOOD)
    assert applysql().code == 0
    put(folder, {**files, "002.sql": "CREATE TABLE two (id int)"})
    before, events = catalog(), value("SELECT count(*) FROM sqlmigrations_migrationevent")
    assert applysql() == Ran("", f"CommandError: {message}\n", 2)
    assert (catalog(), value("SELECT count(*) FROM sqlmigrations_migrationevent")) == (before, events)


def test_a_bad_file_that_is_applied_already_stops_nobody(fresh_database: str, folder: Path) -> None:
    """It is told as changed; what is pending runs all the same."""
    put(folder, GOOD)
    assert applysql().code == 0
    put(folder, {"000_good.sql": "SELECT 'open", "001.sql": "CREATE TABLE one (id int)"})
    ran = applysql()
    assert "  Changed 000_good.sql: its text changed after it was applied\n" in ran.out
    assert (states(), ran.code) == ({"000_good.sql": "applied", "001.sql": "applied"}, 4)


def test_a_missing_folder(fresh_database: str, folder: Path) -> None:
    shutil.rmtree(folder)
    before = catalog()
    message = f"CommandError: {folder}: the folder does not exist\n  Make it, or correct SQLMIGRATIONS_DIRS.\n"
    assert applysql() == Ran("", message, 2)
    assert catalog() == before


def test_a_file_in_the_place_of_a_folder(fresh_database: str, folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("")
    message = f"CommandError: {folder}: the folder is not a folder\n  Make it, or correct SQLMIGRATIONS_DIRS.\n"
    assert applysql() == Ran("", message, 2)


@contextlib.contextmanager
def as_ordinary_user() -> Iterator[None]:
    """Look at files as an ordinary user does: root may read them all."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder(settings: Settings) -> Iterator[Path]:
    """A folder that an ordinary user can enter, unlike those of pytest."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    settings.SQLMIGRATIONS_DIRS = [path]
    settings.SQLMIGRATIONS_APP_DIRS = False  # the installed apps may stand where root alone can enter
    put(path, GOOD)
    yield path
    path.chmod(0o755)
    shutil.rmtree(path)


def test_an_unreadable_file(open_folder: Path) -> None:
    (open_folder / "000_good.sql").chmod(0)
    with as_ordinary_user(), pytest.raises(InvalidFiles) as caught:
        read_disk("default")
    assert str(caught.value) == (
        "000_good.sql: can't be read: Permission denied\n  Look at the file's owner and its rights."
    )


def test_an_unreadable_folder(open_folder: Path) -> None:
    open_folder.chmod(0)
    with as_ordinary_user(), pytest.raises(InvalidFiles) as caught:
        read_disk("default")
    assert str(caught.value) == (
        f"{open_folder}: the folder can't be read: Permission denied\n  Look at its owner and its rights."
    )


def test_a_name_given_twice(fresh_database: str, tmp_path: Path, settings: Settings) -> None:
    for name in ("one", "two"):
        put(tmp_path / name, {"001.sql": "CREATE TABLE t (id int)"})
    settings.SQLMIGRATIONS_DIRS = [tmp_path / "one", tmp_path / "two"]
    before = catalog()
    message = (
        f"CommandError: 001.sql: two files have this name: {tmp_path}/one/001.sql and {tmp_path}/two/001.sql\n"
        "  Rename one of them.\n"
    )
    assert applysql() == Ran("", message, 2)
    assert catalog() == before


def test_a_broken_link(fresh_database: str, folder: Path) -> None:
    (folder / "001.sql").symlink_to(folder / "nowhere.sql")
    message = "CommandError: 001.sql: is not a file that can be read\n  Remove it, or mend the link.\n"
    assert applysql() == Ran("", message, 2)


def test_warnings_do_not_stop_a_run(fresh_database: str, folder: Path) -> None:
    put(
        folder,
        {
            "001.sql": "SELECT 1",
            "001_again.sql": "SELECT 1",
            "002.down.sql": "SELECT 1",
            "003.verify.sql": "SELECT true",
        },
    )
    assert applysql() == Ran(
        "Warning: 002.down.sql: belongs to 002.sql, which does not exist. Rename or remove it; it is never run.\n"
        "Warning: 003.verify.sql: belongs to 003.sql, which does not exist. Rename or remove it; it is never run.\n"
        "Warning: 001_again.sql: several files have number 1: 001.sql, 001_again.sql. Renumber one of them.\n"
        "Running SQL files:\n"
        "  Applying 001.sql... OK (<time>, 1 statement)\n"
        "  Applying 001_again.sql... OK (<time>, 1 statement)\n"
        "  2 applied.\n"
        "Head of the history: <hash>\n",
        "",
        0,
    )
    # What is applied keeps its name: nobody is asked to renumber it.
    assert "several files have number" not in applysql().out
    put(folder, {"001_too.sql": "SELECT 1"})
    assert "several files have number 1: 001.sql, 001_again.sql, 001_too.sql. Renumber" in applysql().out


def test_numbers_of_different_width_are_a_warning_once_something_is_applied(
    fresh_database: str, folder: Path, settings: Settings
) -> None:
    put(folder, GOOD)
    assert applysql().code == 0
    put(folder, {"01.sql": "SELECT 1;"})
    ran = applysql()
    assert ran.code == 0
    assert ran.out.startswith(
        "Warning: 01.sql: numbers of different width sort wrongly by name: 000_good.sql, 01.sql. Pad them with zeros, "
        'or set SQLMIGRATIONS_ORDER = "number".\n'
    )


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("", "the file is empty"),
        ("\n\n;;\n", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        ("-- nothing\n", "the file has no statements, only comments"),
        ("/* nothing */", "the file has no statements, only comments"),
    ],
)
def test_an_empty_file_is_applied_with_a_note(fresh_database: str, folder: Path, text: str | bytes, note: str) -> None:
    put(folder, {"001.sql": text})
    assert applysql() == Ran(
        "Running SQL files:\n"
        "  Applying 001.sql... OK (<time>, 0 statements)\n"
        f"    Note: {note}\n"
        "  1 applied.\n"
        "Head of the history: <hash>\n",
        "",
        0,
    )
    assert states() == {"001.sql": "applied"}


def test_a_database_that_is_not_postgresql(settings: Settings, folder: Path) -> None:
    connections.settings["lite"] = {
        **connections.settings["default"],
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ":memory:",
    }
    try:
        with pytest.raises(DatabaseUnavailable) as caught:
            apply(ApplyOptions(database="lite"))
    finally:
        del connections["lite"]
        del connections.settings["lite"]
    assert str(caught.value) == (
        "Database 'lite' is SQLite; SQL files are applied to PostgreSQL only.\n  Name another one with --database."
    )


@pytest.mark.parametrize(
    ("before", "why", "hint"),
    [
        (
            "ALTER DATABASE {name} SET search_path = ''",
            "no schema has been selected to create in",
            "They are made in the first schema of search_path, and it names none that is there: look at what is set "
            "for the role, the database, and in OPTIONS.",
        ),
        (
            "CREATE FUNCTION no() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''only on Sundays''; END'; "
            "CREATE EVENT TRIGGER no ON ddl_command_end EXECUTE FUNCTION no()",
            "only on Sundays",
            "Once nothing is in their way: manage.py migrate sqlmigrations, or this again.",
        ),
        (
            "CREATE TABLE sqlmigrations_migrationrecord (id int)",
            'relation "sqlmigrations_migrationrecord" already exists',
            "They are there, but Django's history doesn't name them, as after a restore without rows. Say that they "
            "were made: manage.py migrate sqlmigrations --fake, and which files the database has: manage.py applysql "
            "--baseline",
        ),
    ],
    ids=["no-schema", "event-trigger", "schema-only"],
)
def test_what_keeps_our_tables_from_being_made(
    fresh_database: str, folder: Path, before: str, why: str, hint: str
) -> None:
    run_sql(before.format(name=fresh_database))
    connections["default"].close()
    put(folder, {"001.sql": "SELECT 1"})
    words = f"CommandError: The tables of the history can't be made: {why}.\n  {hint}\n"
    assert applysql() == Ran("", words, 2)


def test_a_role_that_may_not_make_our_tables_is_told_so(fresh_database: str, folder: Path) -> None:
    put(folder, GOOD)
    run_sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    wrapper = connections["default"]
    kept = wrapper.settings_dict["USER"]
    with role("LOGIN") as name:
        wrapper.close()
        wrapper.settings_dict["USER"] = name
        try:
            ran = applysql()
        finally:
            wrapper.close()
            wrapper.settings_dict["USER"] = kept
    assert (ran.out, ran.code) == ("", 2)
    assert ran.err == (
        "CommandError: The tables of the history can't be made: permission denied for schema public.\n"
        "  Run `manage.py migrate sqlmigrations` as a role that may make tables there, or grant this one CREATE on the "
        "schema.\n"
    )


# Settings


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("DIRS", "migrations_sql", "a list of folders"),
        ("DIRS", 5, "a list of folders"),
        ("LOCK_TIMEOUT", "3 parsecs", "a time as PostgreSQL writes it"),
        ("RETRIES", "many", "a number from 0 to 1000"),
    ],
)
def test_a_setting_that_cannot_be_worked_with(
    fresh_database: str, folder: Path, settings: Settings, name: str, value: object, hint: str
) -> None:
    put(folder, {"001.sql": "CREATE TABLE one (id int);"})
    before = catalog()
    setattr(settings, f"SQLMIGRATIONS_{name}", value)
    ran = applysql()
    said = f"CommandError: settings.SQLMIGRATIONS_{name} can't be worked with: It is {value!r}.\n  Set it to {hint}"
    assert (ran.out, ran.code, ran.err.startswith(said)) == ("", 2, True)
    assert catalog() == before


def test_a_setting_that_does_not_exist_stops_nobody(fresh_database: str, folder: Path, settings: Settings) -> None:
    """`manage.py check` says so; a newer version may know it."""
    settings.SQLMIGRATIONS_OF_TOMORROW = True
    assert applysql().code == 0


# While it runs


@pytest.mark.parametrize("directive", ["", "-- sqlmigrations: transaction off\n"])
def test_a_file_that_vanishes_meanwhile_fails_as_any_other(ready_database: str, folder: Path, directive: str) -> None:
    text = f"{directive}CREATE TABLE two (id int);"
    put(folder, {"001.sql": "CREATE TABLE one (id int);", "002.sql": text, "003.sql": "CREATE TABLE three (id int);"})

    def take_away(name: str, **kwargs: object) -> None:
        (folder / name).unlink() if name == "002.sql" else None

    migration_started.connect(take_away)
    try:
        ran = applysql()
    finally:
        migration_started.disconnect(take_away)
    assert "    002.sql: can't be read: No such file or directory\n" in ran.out
    assert "  Held 003.sql: touches what can't be known beforehand (002.sql: can't be read" in ran.out
    assert (ran.err, ran.code, states()) == ("", 1, {"001.sql": "applied", "002.sql": "failed"})
    assert applysql().code == 0
