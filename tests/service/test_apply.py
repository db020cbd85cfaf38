"""A run as a whole: which databases and schemas, signals, settings of the project, late and required files."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections

from sqlmigrations import signals
from sqlmigrations.database import raw
from sqlmigrations.exceptions import ConfigurationError, InvalidFiles, UnknownFile
from sqlmigrations.history import GENESIS, Tables, verify_chain
from sqlmigrations.models import MigrationEvent, MigrationRecord, State
from sqlmigrations.plan import Status
from sqlmigrations.runner.outcome import Outcome
from sqlmigrations.service.apply import ApplyOptions, apply, plan_run
from sqlmigrations.service.results import Began, Finished, RunResult, Starting, summary
from tests.databases import leading_to, new_database, session
from tests.helpers import Settings, applysql, events, put, role, rows, run_sql, states, tables, value

FILES = {"001.sql": "CREATE TABLE one (id int);", "002.sql": "SELECT 1/0;", "003.sql": "CREATE TABLE three (id int);"}


# The library: results, progress, signals, logging


def test_what_a_run_returns(ready_database: str, folder: Path) -> None:
    put(folder, FILES)
    result = apply(ApplyOptions())
    assert (result.database, result.taken, summary(result.files)) == (
        "default",
        3,
        {"applied": 2, "failed": 1, "held": 0, "pending": 0},
    )
    assert [(file.name, file.status, file.statements) for file in result.files] == [
        ("001.sql", Status.APPLIED, 1),
        ("002.sql", Status.FAILED, 0),
        ("003.sql", Status.APPLIED, 1),
    ]
    error = result.files[1].error
    assert error is not None
    assert (error.sqlstate, error.line) == ("22012", 1)
    assert result.head == value("SELECT hash FROM sqlmigrations_migrationevent ORDER BY id DESC LIMIT 1")
    assert value("SELECT DISTINCT run FROM sqlmigrations_migrationevent") == result.run


def test_what_a_run_tells_while_it_goes_on(ready_database: str, folder: Path) -> None:
    put(folder, FILES)
    told: list[str] = []

    def progress(report: object) -> None:
        match report:
            case Began(plan):
                told.append(f"began with {len(plan.runnable)}")
            case Starting():
                told.append(f"starting {report.name}")
            case Finished(result):
                told.append(f"finished {result.name}: {result.status}")

    apply(ApplyOptions(), progress)
    assert told == [
        "began with 3",
        "starting 001.sql",
        "finished 001.sql: applied",
        "starting 002.sql",
        "finished 002.sql: failed",
        "starting 003.sql",
        "finished 003.sql: applied",
    ]


@pytest.fixture
def sent() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """All signals of a run, in order."""
    received: list[tuple[str, dict[str, Any]]] = []
    names = ("run_started", "migration_started", "migration_applied", "migration_failed", "run_finished")
    receivers = []
    for name in names:

        def receive(signal: Any, sender: Any, which: str = name, **arguments: Any) -> None:
            assert sender is MigrationRecord
            received.append((which, arguments))

        receivers.append((getattr(signals, name), receive))
        getattr(signals, name).connect(receive)
    yield received
    for signal, receiver in receivers:
        signal.disconnect(receiver)


def test_signals_and_their_arguments(ready_database: str, folder: Path, sent: list[tuple[str, dict[str, Any]]]) -> None:
    put(folder, FILES)
    result = apply(ApplyOptions())
    assert [(name, arguments.get("name")) for name, arguments in sent] == [
        ("run_started", None),
        ("migration_started", "001.sql"),
        ("migration_applied", "001.sql"),
        ("migration_started", "002.sql"),
        ("migration_failed", "002.sql"),
        ("migration_started", "003.sql"),
        ("migration_applied", "003.sql"),
        ("run_finished", None),
    ]
    assert {arguments["using"] for _, arguments in sent} == {"default"}
    assert {arguments["run"] for _, arguments in sent} == {result.run}
    assert sent[0][1] == {"using": "default", "run": result.run, "names": list(FILES)}
    outcome = sent[2][1]["outcome"]
    assert isinstance(outcome, Outcome)
    assert (outcome.state, outcome.statements) == (State.APPLIED, 1)
    assert sent[4][1]["outcome"].error.sqlstate == "22012"
    assert sent[-1][1]["result"] == result


def test_receivers_work_outside_any_transaction_and_cannot_stop_a_run(
    ready_database: str, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    open_transactions: list[bool] = []

    def receive(**arguments: Any) -> None:
        open_transactions.append(connections["default"].in_atomic_block)
        raise ValueError("a receiver that fails")

    put(folder, FILES)
    signals.migration_applied.connect(receive)
    try:
        apply(ApplyOptions())
    finally:
        signals.migration_applied.disconnect(receive)
    assert open_transactions == [False, False]
    assert states() == {"001.sql": "applied", "002.sql": "failed", "003.sql": "applied"}
    logged = [record for record in caplog.records if record.name == "sqlmigrations" and record.exc_info]
    assert [record.getMessage().partition(":")[0] for record in logged] == [
        "A receiver of a migration signal failed"
    ] * 2


def test_a_run_that_is_interrupted_still_says_that_it_is_over(
    ready_database: str, folder: Path, sent: list[tuple[str, dict[str, Any]]]
) -> None:
    def interrupt(**arguments: Any) -> None:
        raise KeyboardInterrupt

    put(folder, FILES)
    signals.migration_started.connect(interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            apply(ApplyOptions())
    finally:
        signals.migration_started.disconnect(interrupt)
    result = sent[-1][1]["result"]
    assert (sent[-1][0], type(result), result.files) == ("run_finished", RunResult, ())


def test_the_log(ready_database: str, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sqlmigrations")
    put(folder, FILES)
    apply(ApplyOptions())
    assert [(record.levelname, record.getMessage().partition(" in ")[0]) for record in caplog.records] == [
        ("INFO", "001.sql: applied"),
        ("ERROR", "002.sql:1 failed: division by zero"),
        ("INFO", "003.sql: applied"),
    ]


def test_nothing_is_printed(ready_database: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    put(folder, FILES)
    apply(ApplyOptions())
    plan_run(ApplyOptions())
    assert capfd.readouterr() == ("", "")


def test_a_plan_changes_nothing_and_takes_no_lock(fresh_database: str, folder: Path) -> None:
    put(folder, FILES)
    run_sql("CREATE TABLE users (id int)")
    with session() as blocker:
        blocker.execute("BEGIN; LOCK TABLE users")
        report = plan_run(ApplyOptions())
    assert ([step.name for step in report.unfinished], report.head) == (list(FILES), GENESIS)
    assert tables() == ["users"]
    assert value("SELECT count(*) FROM pg_class WHERE relname LIKE 'sqlmigrations%%'") == 0


def test_files_that_cannot_run_and_names_that_nobody_has(fresh_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "COMMIT;"})
    for call in (apply, plan_run):
        with pytest.raises(InvalidFiles):
            call(ApplyOptions())
        with pytest.raises(UnknownFile):
            call(ApplyOptions(names=("nothing",)))
    assert value("SELECT count(*) FROM pg_class WHERE oid >= 16384") == 0


# Which database, which schema


@pytest.fixture
def two_databases(fresh_database: str) -> Iterator[str]:
    """Point the alias ``other`` at a second empty database; yield its name."""
    with new_database(f"{fresh_database}_other") as name, leading_to(name, "other"):
        yield name


def test_each_alias_has_its_folders_and_its_history(two_databases: str, tmp_path: Path, settings: Settings) -> None:
    put(tmp_path / "default", {"001.sql": "CREATE TABLE here (id int)"})
    put(tmp_path / "other", {"001.sql": "CREATE TABLE there (id int)", "002.sql": "SELECT 1/0"})
    settings.SQLMIGRATIONS_DIRS = {"default": [tmp_path / "default"], "other": [tmp_path / "other"]}

    ran = applysql("--database", "other")
    assert ran.code == 1
    assert rows("SELECT filename, state FROM sqlmigrations_migrationrecord ORDER BY 1", alias="other") == [
        ("001.sql", "applied"),
        ("002.sql", "failed"),
    ]
    assert rows("SELECT tablename FROM pg_tables WHERE tablename IN ('here', 'there')", alias="other") == [("there",)]
    assert value("SELECT count(*) FROM pg_class WHERE oid >= 16384") == 0

    assert applysql().code == 0
    assert (tables(), states()) == (["here"], {"001.sql": "applied"})
    assert applysql("--check", "--database", "other").code == 1
    assert applysql("--check").code == 0


def test_a_list_of_folders_is_the_default_databases(two_databases: str, folder: Path) -> None:
    put(folder, FILES)
    assert applysql("--database", "other").out == (
        "  No SQL files to apply: everything is up to date.\nHead of the history: <hash>\n"
    )


def test_a_history_in_a_schema_of_its_own(fresh_database: str, folder: Path) -> None:
    wrapper = connections["default"]
    run_sql("CREATE SCHEMA app")
    wrapper.close()
    wrapper.settings_dict["OPTIONS"]["options"] = "-c search_path=app"
    try:
        put(
            folder,
            {
                "001.sql": "CREATE TABLE one (id int); SET search_path = public;",
                "002.sql": "CREATE TABLE two (id int); SELECT set_config('search_path', '', false);",
                "003.sql": "CREATE TABLE three (id int);",
            },
        )
        assert applysql().code == 0
        assert applysql("--check").code == 0
        assert tables("app") == ["one", "three", "two"]
        assert tables("public") == []
        assert MigrationRecord.objects.count() == 3
    finally:
        wrapper.close()
        del wrapper.settings_dict["OPTIONS"]["options"]
    assert rows("SELECT count(*) FROM app.sqlmigrations_migrationevent") == [(6,)]
    assert value("SELECT to_regclass('public.sqlmigrations_migrationevent')") is None


def test_files_of_apps_follow_the_projects(
    ready_database: str, folder: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    from django.apps import apps

    put(folder, {"001.sql": "CREATE TABLE one (id int)"})
    put(folder.parent / "blog", {"migrations_sql/001.sql": "CREATE TABLE two AS TABLE one"})
    monkeypatch.setattr(apps.get_app_config("sessions"), "path", str(folder.parent / "blog"))
    ran = applysql()
    assert ran.out.splitlines()[1:3] == [
        "  Applying 001.sql... OK (<time>, 1 statement)",
        "  Applying sessions/001.sql... OK (<time>, 1 statement)",
    ]
    assert applysql("--list").out == (
        "project\n [X] 001.sql (<when>, <time>)\nsessions\n [X] sessions/001.sql (<when>, <time>)\n"
    )
    settings.SQLMIGRATIONS_APP_DIRS = False
    assert "Missing sessions/001.sql" in applysql("--list").out


# Inside a test's transaction


@pytest.mark.django_db
def test_in_a_testcase_all_of_it_rides_in_the_tests_transaction(folder: Path) -> None:
    put(
        folder,
        {
            "001.sql": "CREATE TABLE sqlm_in_testcase (id int); SET search_path = pg_catalog;",
            "002.sql": "CREATE TABLE sqlm_gone (id int); SELECT 1/0;",
            "003.sql": "INSERT INTO sqlm_in_testcase VALUES (7);",
        },
    )
    call_command("migrate", "sqlmigrations", verbosity=0)
    result = apply(ApplyOptions())
    assert [(file.name, str(file.status)) for file in result.files] == [
        ("001.sql", "applied"),
        ("002.sql", "failed"),
        ("003.sql", "applied"),
    ]
    assert connections["default"].in_atomic_block
    assert MigrationRecord.objects.count() == 3
    happened = ["started", "applied", "started", "failed", "started", "applied"]
    assert list(MigrationEvent.objects.values_list("type", flat=True)) == happened
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT id FROM sqlm_in_testcase")
        assert cursor.fetchall() == [(7,)]
        cursor.execute("SELECT to_regclass('sqlm_gone')")
        assert cursor.fetchall() == [(None,)]
    assert verify_chain(raw(connections["default"]), Tables("public")).is_intact
    assert value("SELECT to_regclass('sqlm_in_testcase')") is None


@pytest.mark.django_db
def test_nothing_of_the_test_above_remains() -> None:
    assert MigrationRecord.objects.count() == 0
    assert value("SELECT to_regclass('sqlm_in_testcase')") is None


@pytest.mark.django_db
def test_a_file_outside_a_transaction_cannot_run_in_a_testcase(folder: Path) -> None:
    put(folder, {"001.sql": "-- sqlmigrations: transaction off\nCREATE TABLE sqlm_off (id int);"})
    (file,) = apply(ApplyOptions()).files
    assert file.error is not None
    assert (file.status, file.error.message) == (
        Status.FAILED,
        "A file with `transaction off` can't run inside a transaction.",
    )


# Settings of the project


def test_debug_keeps_no_query_texts(ready_database: str, folder: Path, settings: Settings) -> None:
    """Django keeps each statement while DEBUG is on: a dump of a gigabyte would stay in memory."""
    settings.DEBUG = True
    put(folder, {"001.sql": "CREATE TABLE t (id int);\nINSERT INTO t VALUES (424242);\nCOPY t FROM stdin;\n1\n\\.\n"})
    apply(ApplyOptions())
    kept = [query["sql"] for query in connections["default"].queries]
    assert not [text for text in kept if "424242" in text or "TABLE t " in text]
    connections["default"].queries_log.clear()
    put(folder, {"002.sql": "INSERT INTO t VALUES (434343);\n" * 50})
    apply(ApplyOptions())
    assert len(connections["default"].queries) < 20


def test_without_time_zones(ready_database: str, folder: Path, settings: Settings) -> None:
    settings.USE_TZ = False
    connections["default"].close()
    put(folder, FILES)
    assert applysql().code == 1
    assert applysql().code == 1
    assert applysql("--list").code == 0
    connection = raw(connections["default"])
    assert verify_chain(connection, Tables("public")).is_intact
    age = value("SELECT max(abs(extract(epoch FROM clock_timestamp() - at))) FROM sqlmigrations_migrationevent")
    assert age < 600


def test_an_unknown_policy_for_late_files(ready_database: str, folder: Path, settings: Settings) -> None:
    settings.SQLMIGRATIONS_LATE_FILES = "whatever"
    with pytest.raises(ConfigurationError) as caught:
        plan_run(ApplyOptions())
    assert str(caught.value) == (
        'SQLMIGRATIONS_LATE_FILES can\'t be \'whatever\'.\n  Set it to one of: "independent", "allow", "error".'
    )


# Late files


@pytest.mark.parametrize(
    ("policy", "text", "flag", "applied"),
    [
        ("independent", "CREATE TABLE tags (id int)", [], True),
        ("independent", "ALTER TABLE users ADD a int", [], False),
        ("independent", "DO $$ BEGIN EXECUTE format('SELECT %s', 1); END $$", [], False),
        ("independent", "ALTER TABLE users ADD a int", ["--allow-late"], True),
        ("independent", "-- sqlmigrations: allow late\nALTER TABLE users ADD a int", [], True),
        ("allow", "ALTER TABLE users ADD a int", [], True),
        ("error", "CREATE TABLE tags (id int)", [], False),
        ("error", "CREATE TABLE tags (id int)", ["--allow-late"], True),
        ("error", "-- sqlmigrations: allow late\nCREATE TABLE tags (id int)", [], True),
    ],
)
def test_late_files(
    ready_database: str, folder: Path, settings: Settings, policy: str, text: str, flag: list[str], applied: bool
) -> None:
    settings.SQLMIGRATIONS_LATE_FILES = policy
    put(folder, {"001.sql": "CREATE TABLE users (id int)", "003.sql": "ALTER TABLE users ADD b int"})
    assert applysql().code == 0
    put(folder, {"002.sql": text})
    ran = applysql(*flag)
    assert ("002.sql" in states(), ran.code) == (applied, 0 if applied else 1)
    if not applied:
        assert "  Late 002.sql: 003.sql is applied already" in ran.out
        assert " --allow-late applies it all the same\n" in ran.out


# Required files and migrations


def test_what_a_file_requires(ready_database: str, folder: Path) -> None:
    put(
        folder,
        {
            "001.sql": "SELECT 1/0",
            "002.sql": "-- sqlmigrations: requires 001.sql\nCREATE TABLE two (id int)",
            "003.sql": "CREATE TABLE three (id int)",
            "repeatable/a.sql": "-- sqlmigrations: requires repeatable/b.sql\nCREATE VIEW a AS SELECT * FROM b",
            "repeatable/b.sql": "CREATE OR REPLACE VIEW b AS SELECT 1 AS one",
        },
    )
    ran = applysql()
    assert ran.code == 1
    assert "  Held 002.sql: requires 001.sql, which is not applied\n" in ran.out
    assert list(states()) == ["001.sql", "003.sql", "repeatable/a.sql", "repeatable/b.sql"]
    assert [name for type, name in events() if type == "applied"] == [
        "003.sql",
        "repeatable/b.sql",
        "repeatable/a.sql",
    ]


def test_a_django_migration_that_a_file_requires(ready_database: str, folder: Path) -> None:
    put(
        folder,
        {
            "001.sql": "-- sqlmigrations: requires django:contenttypes.0001_initial\n"
            "CREATE TABLE one AS SELECT count(*) AS n FROM django_content_type",
            "002.sql": "CREATE TABLE two (id int)",
        },
    )
    ran = applysql()
    assert ran.code == 1
    assert "  Held 001.sql: requires the Django migration contenttypes.0001_initial, which is not applied\n" in ran.out
    assert tables() == ["two"]
    assert "  Held 001.sql  (requires the Django migration contenttypes.0001_initial" in applysql("--plan").out
    call_command("migrate", "contenttypes", verbosity=0)
    assert applysql().code == 0
    assert tables() == ["one", "two"]


# Large files


def test_a_file_too_large_to_be_judged_beforehand_is_judged_while_it_streams(ready_database: str, folder: Path) -> None:
    row = b"%07d\t" + b"x" * 1000 + b"\n"
    data = b"".join(row % number for number in range(20_000))
    start = b"CREATE TABLE t (id int, body text);\nCOPY t FROM stdin;\n" + data + b"\\.\n"
    assert len(start) > 20_000_000
    put(folder, {"001.sql": start + b"SELECT count(*) FROM t;\nCOMMIT;\nDROP TABLE t;\n"})
    ran = applysql()
    assert ran.code == 1
    assert "    001.sql:20005: COMMIT inside a file\n" in ran.out
    assert (tables(), states()) == ([], {"001.sql": "failed"})

    put(folder, {"001.sql": start + b"SELECT count(*) FROM t;\n"})
    assert applysql().code == 0
    assert rows("SELECT count(*) FROM t") == [(20_000,)]
    ((checksum, kept),) = rows("SELECT checksum, applied_sql FROM sqlmigrations_migrationrecord")
    first, *others = kept.splitlines()
    assert first.startswith(f"-- {len(start) + 24} bytes, {checksum}: only the statements are kept, ")
    assert others == [
        "CREATE TABLE t (id int, body text);",
        "COPY t FROM stdin;",
        "-- its data is left out",
        "SELECT count(*) FROM t;",
    ]
    assert applysql("--check").code == 0
    put(folder, {"001.sql": start + b"SELECT count(*) FROM t; -- more\n"})
    assert applysql("--check").code == 4


def test_a_run_id_is_its_own(ready_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "SELECT 1"})
    first = apply(ApplyOptions()).run
    put(folder, {"002.sql": "SELECT 1"})
    second = apply(ApplyOptions()).run
    assert isinstance(first, uuid.UUID)
    assert rows("SELECT DISTINCT run, filename FROM sqlmigrations_migrationevent ORDER BY 2") == [
        (first, "001.sql"),
        (second, "002.sql"),
    ]


def test_where_nothing_may_be_written_is_told_before_anything_is_tried(fresh_database: str, folder: Path) -> None:
    put(folder, FILES)
    run_sql(f"ALTER DATABASE {fresh_database} SET default_transaction_read_only = on")
    connections["default"].close()
    ran = applysql()
    assert (ran.err.splitlines(), ran.code) == (
        [
            "CommandError: Sessions with database 'default' are read only.",
            "  Look for default_transaction_read_only: in the alias's OPTIONS, or set for its role or database.",
        ],
        2,
    )


def test_a_second_connection_that_is_refused_was_not_lost(fresh_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE one (id int)"})
    wrapper = connections["default"]
    given = wrapper.settings_dict
    with role("LOGIN CONNECTION LIMIT 1") as name:
        run_sql(f"GRANT CREATE ON SCHEMA public TO {name}")
        wrapper.close()
        wrapper.settings_dict = {**given, "USER": name}
        try:
            ran = applysql()
        finally:
            wrapper.close()
            wrapper.settings_dict = given
    assert ran.err.startswith(
        "CommandError: A further connection to 'default' could not be opened: connection failed: "
    )
    assert ran.err.endswith(
        "  A run takes two, three behind a pooler in transaction mode. Run it again when there is room.\n"
    )
    assert ran.code == 2


# AUTOCOMMIT switched off, as Django lets a project do


@pytest.fixture
def without_autocommit(ready_database: str) -> Iterator[None]:
    """Let Django leave committing to whoever uses the alias ``default``."""
    wrapper = connections["default"]
    wrapper.close()
    given = wrapper.settings_dict
    wrapper.settings_dict = {**given, "AUTOCOMMIT": False}
    try:
        yield
    finally:
        wrapper.close()
        wrapper.settings_dict = given


def test_files_run_where_autocommit_is_switched_off(without_autocommit: None, folder: Path) -> None:
    """It stays so for the project; what was done is committed, also by what runs outside a transaction."""
    connections["default"].ensure_connection()
    put(folder, {"001.sql": "CREATE TABLE one (id int)"})
    concurrently = "CREATE INDEX CONCURRENTLY one_id ON one (id); CREATE TABLE two ()"
    put(folder, {"002.sql": f"-- sqlmigrations: transaction off\n{concurrently}"})
    result = apply(ApplyOptions())
    assert [(file.status, file.error) for file in result.files] == [(Status.APPLIED, None), (Status.APPLIED, None)]
    assert (tables(), states()) == (["one", "two"], {"001.sql": "applied", "002.sql": "applied"})
    wrapper = connections["default"]
    assert (wrapper.get_autocommit(), wrapper.settings_dict["AUTOCOMMIT"]) == (False, False)


def test_an_open_transaction_without_autocommit_is_left_to_whoever_opened_it(
    without_autocommit: None, folder: Path
) -> None:
    put(folder, {"001.sql": "CREATE TABLE one (id int)"})
    with connections["default"].cursor() as cursor:
        cursor.execute("CREATE TABLE mine (id int)")
        assert [step.name for step in plan_run(ApplyOptions()).plan.runnable] == ["001.sql"]
        with pytest.raises(ConfigurationError, match="can't be applied inside a transaction"):
            apply(ApplyOptions())
        cursor.execute("INSERT INTO mine VALUES (1)")
    connections["default"].rollback()
    assert tables() == []
