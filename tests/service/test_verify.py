"""Tests of the verify scripts run once more against the live database."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper

from sqlmigrations.schema.difference import Findings
from sqlmigrations.service.gather import read_disk, recall
from sqlmigrations.service.verify import run_verify_scripts
from tests.helpers import applysql, catalog, put, run_sql, value


def verified(live: BaseDatabaseWrapper) -> Findings:
    disk = read_disk("default")
    return run_verify_scripts(live, disk, recall(live, disk))


FILES = {
    "001_a.sql": "CREATE TABLE a (id int);",
    "001_a.verify.sql": "SELECT to_regclass('a') IS NOT NULL;\nSELECT count(*) = 0 AS is_empty FROM a;",
    "002_b.sql": "CREATE TABLE b (id int);",
    "002_b.verify.sql": "SELECT count(*) = 0 FROM b;",
    "003_b.sql": "ALTER TABLE b ADD COLUMN more int;",
    "004_c.sql": "CREATE TABLE c (id int);",
}


def test_what_held_then_is_asked_again(live: BaseDatabaseWrapper, folder: Path) -> None:
    put(folder, FILES)
    assert applysql().code == 0
    before = catalog()
    findings = verified(live)
    assert (findings.differences, findings.skipped) == ((), ())
    assert findings.examined == {"verify script": 1}
    assert findings.not_covered == {"overtaken verify script": 1}
    run_sql("INSERT INTO a VALUES (1)")
    (difference,) = verified(live).differences
    assert (difference.source, difference.kind, difference.object, difference.found) == (
        "verify",
        "file",
        "001_a.sql",
        '001_a.verify.sql:2: column "is_empty" of row 1 is false.',
    )
    assert catalog() == before


def test_a_script_that_fails_is_a_difference(live: BaseDatabaseWrapper, folder: Path) -> None:
    put(folder, FILES)
    assert applysql().code == 0
    run_sql("DROP TABLE a")
    put(folder, {"001_a.verify.sql": "SELECT true FROM a;"})
    (difference,) = verified(live).differences
    assert difference.found == '001_a.verify.sql:1: relation "a" does not exist'


def test_a_script_can_write_nothing(live: BaseDatabaseWrapper, folder: Path) -> None:
    put(folder, FILES)
    assert applysql().code == 0
    put(folder, {"001_a.verify.sql": "INSERT INTO a VALUES (1);"})
    (difference,) = verified(live).differences
    assert difference.found == "001_a.verify.sql:1: cannot execute INSERT in a read-only transaction"
    assert value("SELECT count(*) FROM a") == 0


@pytest.mark.parametrize("names", [(), ("004",)])
def test_files_that_are_not_held_are_not_asked(live: BaseDatabaseWrapper, folder: Path, names: tuple[str, ...]) -> None:
    put(folder, FILES)
    if names:
        assert applysql(*names).code == 0
    assert verified(live) == Findings((), {"verify script": 0})


def test_which_file_came_later_is_told_by_the_history_not_by_the_clock(live: BaseDatabaseWrapper, folder: Path) -> None:
    put(folder, FILES)
    assert applysql().code == 0
    run_sql("UPDATE sqlmigrations_migrationrecord SET executed_at = '2024-01-01'::timestamptz - id * interval '1 hour'")
    assert verified(live).not_covered == {"overtaken verify script": 1}
