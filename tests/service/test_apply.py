"""A run as a whole: which databases and schemas, signals, settings of the project, late and required files."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections

from sqlmigrations import signals
from sqlmigrations.exceptions import InvalidFiles, UnknownFile
from sqlmigrations.files.checksum import checksum
from sqlmigrations.history import GENESIS
from sqlmigrations.models import MigrationRecord, State
from sqlmigrations.plan import Status
from sqlmigrations.runner.outcome import Outcome
from sqlmigrations.service.apply import ApplyOptions, apply, plan_run
from sqlmigrations.service.results import Began, Finished, RunResult, Starting, summary
from tests.databases import session
from tests.helpers import Settings, applysql, events, put, role, rows, run_sql, states, tables, value
from tests.service.files import FILES

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


@pytest.mark.parametrize(
    ("edited", "error", "made"),
    [
        ("CREATE TABLE u (id int);", None, ["u"]),
        ("CREATE TABLE u (id int);\nCOMMIT;", "COMMIT inside a file", []),
        (None, "can't be read: No such file or directory", []),
    ],
)
def test_a_file_that_is_touched_between_its_judgement_and_its_run(
    edited: str | None, error: str | None, made: list[str], ready_database: str, folder: Path
) -> None:
    """What runs is what stands there then, judged anew; what is recorded is what ran."""
    put(folder, {"001.sql": "CREATE TABLE t (id int);"})

    def progress(report: object) -> None:
        if isinstance(report, Began):
            (folder / "001.sql").unlink()
            put(folder, {"001.sql": edited} if edited else {})

    (file,) = apply(ApplyOptions(), progress).files
    assert (file.error and file.error.message) == error
    assert [name for name in tables() if name in ("t", "u")] == made
    recorded = [(checksum([edited.encode()]), edited)] if edited and made else [("", None)]
    assert rows("SELECT checksum, applied_sql FROM sqlmigrations_migrationrecord") == recorded


def test_a_run_reads_each_file_once_to_judge_and_run_it(
    ready_database: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look at each beforehand, for its directives and its checksum, comes on top: most of them have been applied."""
    put(folder, {"001.sql": "SELECT 1;", "001.down.sql": "SELECT 2;", "002.sql": "SELECT 3;"})
    opened: list[str] = []
    real = os.open

    def counted(path: Any, *arguments: Any, **options: Any) -> int:
        if str(path).startswith(str(folder)):
            opened.append(Path(path).name)
        return real(path, *arguments, **options)

    monkeypatch.setattr("os.open", counted)
    apply(ApplyOptions())
    assert sorted(opened) == sorted(["001.sql", "001.down.sql", "002.sql"] * 2)


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
