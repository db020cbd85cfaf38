"""The documents of ``applysql --format json``: one on stdout, words for people on stderr."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.commands.runs import HEAD, SIX
from tests.helpers import Ran, applysql, put


def document(ran: Ran, code: int = 0) -> dict[str, Any]:
    """Return the one document on stdout, durations as ``<ms>``."""
    assert ran.code == code
    text = ran.out.replace(": <ms>", ': "<ms>"')
    found: dict[str, Any] = json.loads(text)
    return found


def file(name: str, state: str, **changed: Any) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "versioned",
        "state": state,
        "reason": "",
        "duration_ms": "<ms>",
        "statements": 1,
        "lock_wait_ms": "<ms>",
        "batches": None,
        "notes": [],
        "asked": True,
        "error": None,
        **changed,
    }


def test_the_document_of_a_run(ready_database: str, folder: Path) -> None:
    put(folder, {**SIX, "007_empty.sql": ""})
    ran = applysql("--format", "json")
    assert document(ran, code=1) == {
        "schema_version": 1,
        "command": "applysql",
        "database": "default",
        "files": [
            file("001_users.sql", "applied"),
            file(
                "002_posts.sql",
                "failed",
                error={
                    "message": 'column "idd" of relation "posts" does not exist',
                    "sqlstate": "42703",
                    "detail": "",
                    "hint": "",
                    "advice": "",
                    "file": "002_posts.sql",
                    "line": 2,
                    "column": 20,
                    "statement": "INSERT INTO posts (idd) VALUES (1);",
                    "blockers": [],
                },
            ),
            file(
                "003_comments.sql",
                "held",
                statements=0,
                reason="touches posts, as does 002_posts.sql, which is not applied",
            ),
            file("004_tags.sql", "applied"),
            file("005_users_email.sql", "applied"),
            file(
                "006_comments_index.sql",
                "held",
                statements=0,
                reason="touches comments, as does 003_comments.sql, which is not applied",
            ),
            file("007_empty.sql", "applied", statements=0, notes=["the file is empty"]),
        ],
        "summary": {"applied": 4, "failed": 1, "held": 2, "pending": 0},
        "head": "<hash>",
    }
    assert ran.err.startswith("Running SQL files:\n  Applying 001_users.sql... OK (<time>, 1 statement)\n")
    assert ran.err.endswith("  4 applied, 1 failed, 2 held.\n" + HEAD)


def planned(name: str, state: str, runs: bool = True, **changed: Any) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "versioned",
        "state": state,
        "reason": "",
        "runs": runs,
        "asked": True,
        "duration_ms": None,
        "statements": None,
        "error": None,
        "findings": [],
        **changed,
    }


def test_the_documents_of_plan_check_and_list(half_way: Path) -> None:
    late = "003_tags.sql is applied already and touches tags too; --allow-late applies it all the same"
    gone = {
        "name": "000_gone.sql",
        "kind": "versioned",
        "state": "missing",
        "reason": "the database holds it, but its file is gone",
        "runs": False,
        "asked": True,
        "error": None,
    }
    unfinished = [
        planned("002_late.sql", "late", runs=False, reason=late),
        planned("004_broken.sql", "failed", reason="failed before", duration_ms="<ms>"),
        planned("005_new.sql", "pending"),
        planned(
            "repeatable/v.sql",
            "pending",
            kind="repeatable",
            reason="its text changed",
            duration_ms="<ms>",
            statements=1,
        ),
    ]
    expected = {
        "schema_version": 1,
        "command": "applysql",
        "database": "default",
        "files": [*unfinished, gone],
        "summary": {"applied": 0, "failed": 1, "held": 0, "pending": 2, "late": 1, "missing": 1},
        "head": "<hash>",
    }
    assert document(applysql("--plan", "--format", "json")) == expected
    assert document(applysql("--check", "--format", "json"), code=4) == expected

    listed = document(applysql("--list", "--format", "json"))
    assert listed["files"] == [
        planned(
            "001_users.sql",
            "changed",
            runs=False,
            reason="its text changed after it was applied",
            duration_ms="<ms>",
            statements=1,
        ),
        unfinished[0],
        planned(
            "003_tags.sql",
            "applied",
            runs=False,
            reason="comments or layout changed since",
            duration_ms="<ms>",
            statements=1,
        ),
        *unfinished[1:],
        planned("seed/data.sql", "skipped", runs=False, kind="seed", reason="a seed runs only when asked for: --seed"),
        gone,
    ]


def test_the_document_of_a_call_that_could_not_be_answered(ready_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "SELECT 'open", "002.sql": "COMMIT;\nROLLBACK;"})
    ran = applysql("--format", "json")
    hint = "Each file runs in a transaction of its own, together with its record: remove it. SAVEPOINT is allowed."
    assert document(ran, code=2) == {
        "schema_version": 1,
        "command": "applysql",
        "database": "default",
        "error": {
            "message": ran.err.removeprefix("CommandError: ").rstrip("\n"),
            "hint": "",
            "problems": [
                {"file": "001.sql", "line": 1, "message": "unterminated string", "hint": "Close it with '."},
                {"file": "002.sql", "line": 1, "message": "COMMIT inside a file", "hint": hint},
                {"file": "002.sql", "line": 2, "message": "ROLLBACK inside a file", "hint": hint},
            ],
        },
    }
