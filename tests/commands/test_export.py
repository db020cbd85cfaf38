"""``validateschema --export``: every event as a line of JSON, from which the chain can be verified elsewhere."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from sqlmigrations.history import GENESIS
from tests.helpers import applysql, events, put, value


def test_all_events_in_order(fresh_database: str, folder: Path, tmp_path: Path) -> None:
    put(folder, {"001.sql": 'CREATE TABLE "naïve ✓" (id int);', "002.sql": "SELECT 1/0;"})
    assert applysql().code == 1
    out = io.StringIO()
    call_command("validateschema", export="-", stdout=out)
    call_command("validateschema", export=str(tmp_path / "events.jsonl"))
    written = (tmp_path / "events.jsonl").read_text(encoding="utf-8")
    assert written == out.getvalue()
    lines = [json.loads(line) for line in written.splitlines()]
    assert [(line["type"], line["filename"]) for line in lines] == events()
    assert [line["previous_hash"] for line in lines] == [GENESIS, *(line["hash"] for line in lines[:-1])]
    assert lines[-1]["hash"] == value("SELECT hash FROM sqlmigrations_migrationevent ORDER BY id DESC LIMIT 1")


def test_an_empty_history(fresh_database: str, folder: Path) -> None:
    out = io.StringIO()
    call_command("validateschema", export="-", stdout=out)
    assert out.getvalue() == ""
    assert value("SELECT count(*) FROM pg_class WHERE oid >= 16384") == 0


def test_a_file_that_cannot_be_written(fresh_database: str, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="can't be written: Is a directory"):
        call_command("validateschema", export=str(tmp_path))
