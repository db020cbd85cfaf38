"""What the log says of files, and the fields that its records carry."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from sqlmigrations import api
from tests.docs.pages import sections
from tests.helpers import put

FIELDS = ["sql_database", "sql_file", "sql_state", "sql_statements", "sql_attempts", "sql_line", "sql_sqlstate"]


def test_records_carry_fields(fresh_database: str, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sqlmigrations")
    put(
        folder, {"001.sql": "CREATE TABLE one (id int);", "001.down.sql": "DROP TABLE one;", "002.sql": "\nSELECT 1/0;"}
    )
    run = api.apply().run
    api.revert("001")
    found = [[getattr(record, name) for name in FIELDS] for record in caplog.records]
    assert found == [
        ["default", "001.sql", "applied", 1, 1, None, ""],
        ["default", "002.sql", "failed", 0, 1, 2, "22012"],
        ["default", "001.sql", "reverted", 1, 1, None, ""],
    ]
    assert [record.levelname for record in caplog.records] == ["INFO", "ERROR", "INFO"]
    first, second, third = (vars(record)["sql_run"] for record in caplog.records)
    assert (first, second) == (str(run), str(run)) != third
    named = {name for record in caplog.records for name in vars(record) if name.startswith("sql_")}
    assert sorted(sections("signals")["Logging"].named()) == sorted(named)
