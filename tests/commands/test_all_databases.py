"""``--all-databases``: one after the other, each with its own lock, history and result, and a roll-up at the end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.db import connections

from sqlmigrations.runner.lock import RUN_CLASS, key_of
from tests.databases import session
from tests.helpers import Ran, applysql, put, rows, value, wait_until_sessions

HEAD = "Head of the history: <hash>\n"


def records(alias: str) -> dict[str, str]:
    return dict(rows("SELECT filename, state FROM sqlmigrations_migrationrecord ORDER BY 1", alias=alias))


def test_each_has_its_own_history_and_result(both: tuple[Path, Path]) -> None:
    put(both[0], {"001.sql": "CREATE TABLE a (id int);"})
    put(both[1], {"001.sql": "CREATE TABLE b (id int);"})
    assert applysql("--all-databases") == Ran(
        "Database default\nRunning SQL files:\n  Applying 001.sql... OK (<time>, 1 statement)\n  1 applied.\n"
        f"{HEAD}Database other\nRunning SQL files:\n  Applying 001.sql... OK (<time>, 1 statement)\n  1 applied.\n"
        f"{HEAD}default: all is well (1 applied)\nother: all is well (1 applied)\n",
        "",
        0,
    )
    made = "SELECT to_regclass('a') IS NOT NULL, to_regclass('b') IS NOT NULL"
    assert (rows(made), rows(made, alias="other")) == ([(True, False)], [(False, True)])
    heads = [
        value("SELECT hash FROM sqlmigrations_migrationevent ORDER BY id DESC LIMIT 1", alias=alias)
        for alias in ("default", "other")
    ]
    assert len(set(heads)) == 2


def test_one_that_fails_does_not_stop_the_others(both: tuple[Path, Path]) -> None:
    put(both[0], {"001.sql": "SELECT 1/0;"})
    put(both[1], {"001.sql": "CREATE TABLE b (id int);"})
    ran = applysql("--all-databases")
    assert (ran.err, ran.code) == ("", 1)
    assert ran.out.endswith(
        "default: something was found, failed or is left to do (1 failed)\nother: all is well (1 applied)\n"
    )
    assert (records("default"), records("other")) == ({"001.sql": "failed"}, {"001.sql": "applied"})


@pytest.mark.parametrize("away", ["default", "other"])
def test_one_that_cannot_be_reached_does_not_stop_the_others(both: tuple[Path, Path], away: str) -> None:
    present = "other" if away == "default" else "default"
    for folder in both:
        put(folder, {"001.sql": "CREATE TABLE t (id int);"})
    given = connections[away].settings_dict
    connections[away].close()
    kept = given["NAME"]
    given["NAME"] = "sqlm_nowhere"
    try:
        ran = applysql("--all-databases")
        document = json.loads(applysql("--all-databases", "--check", "--format", "json").out)
    finally:
        given["NAME"] = kept
    assert ran.code == 2
    assert ran.err.startswith(f"{away}: Database '{away}' can't be reached: ")
    assert 'database "sqlm_nowhere" does not exist' in ran.err
    assert f"{away}: could not be asked\n" in ran.out
    assert f"{present}: all is well (1 applied)\n" in ran.out
    assert records(present) == {"001.sql": "applied"}
    assert [each["database"] for each in document["databases"]] == ["default", "other"]
    assert ["error" in each for each in document["databases"]] == [away == "default", away == "other"]


def test_one_where_another_run_holds_the_lock(both: tuple[Path, Path]) -> None:
    for folder in both:
        put(folder, {"001.sql": "CREATE TABLE t (id int);"})
    with session() as other_run:
        other_run.execute("SELECT pg_advisory_lock(%s, %s)", [RUN_CLASS, key_of("public")])
        ran = applysql("--all-databases", "--lock-wait", "0s")
    assert ran.code == 3
    assert ran.out.endswith("default: another run holds the lock\nother: all is well (1 applied)\n")
    assert records("other") == {"001.sql": "applied"}


def test_invalid_files_of_one_do_not_stop_the_others(both: tuple[Path, Path]) -> None:
    put(both[0], {"001.sql": "COMMIT;"})
    put(both[1], {"001.sql": "CREATE TABLE t (id int);"})
    ran = applysql("--all-databases")
    assert (ran.code, records("other")) == (2, {"001.sql": "applied"})
    assert ran.out.endswith("default: could not be asked\nother: all is well (1 applied)\n")


def test_database_and_all_databases_contradict_each_other(
    both: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert applysql("--all-databases", "--database", "other").code == 2
    assert "argument --database: not allowed with argument --all-databases" in capsys.readouterr().err


def test_every_connection_is_closed_at_the_end(both: tuple[Path, Path]) -> None:
    for folder in both:
        put(folder, {"001.sql": "CREATE TABLE t (id int);", "002.sql": "SELECT 1/0;"})
    for alias in ("default", "other"):
        connections[alias].close()
    assert applysql("--all-databases").code == 1
    assert [connections[alias].connection for alias in ("default", "other")] == [None, None]
    for alias in ("default", "other"):
        wait_until_sessions(0, alias)
