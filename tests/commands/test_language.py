"""Commands speak English, whatever language Django speaks: their words are interfaces."""

from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path

from django.core.management import call_command
from django.utils import translation

from tests.helpers import plain, put, run_sql

FILES = {
    "001_a.sql": "CREATE TABLE a (id int, note int);",
    "002_b.sql": "SELECT 1/0;",
    "003_c.sql": "-- sqlmigrations: requires 002_b.sql\nCREATE INDEX a_note ON a (note);",
}
COMMANDS = (
    ("applysql", "--plan"),
    ("applysql", "--plan", "--format", "json"),
    ("validateschema",),
    ("validateschema", "--format", "json"),
    ("dbhealth", "--only", "no_primary_key", "--only", "backup_age"),
    ("dbhealth", "--only", "no_primary_key", "--only", "backup_age", "--format", "github"),
)


def _said(*command: str) -> str:
    """Return what a command writes, without the times that it took."""
    out = io.StringIO()
    with suppress(SystemExit):
        call_command(*command, stdout=out, stderr=out, no_color=True)
    return plain(out.getvalue())


def test_commands_speak_english_in_a_german_project(fresh_database: str, folder: Path) -> None:
    put(folder, FILES)
    with translation.override("de"):
        _said("applysql")
        run_sql("ALTER TABLE a ALTER COLUMN note TYPE text")
        german = [_said(*command) for command in COMMANDS]

    with translation.override("en"):
        english = [_said(*command) for command in COMMANDS]

    assert german == english
    plan, _plan, drift, *_others = english
    assert plan.startswith(
        """\
Planned SQL files:
  Apply 002_b.sql  (failed before)
  Apply 003_c.sql
    003_c.sql:2: warning: a can't be written to until the index is built. [create-index-blocking]
"""
    )
    assert "  error file 002_b.sql: state should be applied, found failed: division by zero\n" in drift
