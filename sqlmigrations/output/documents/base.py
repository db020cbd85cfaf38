"""What all documents have: their head, the error of a call that could not be answered, the way they are written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlmigrations.exceptions import DangersFound, InvalidFiles, SQLMigrationsError

if TYPE_CHECKING:
    from sqlmigrations.runner.failure import Failure

#: Raised when the meaning of a key changes; a new key may come at any time.
SCHEMA_VERSION = 1

Document = dict[str, Any]


def dumps(document: Document) -> str:
    """Write a document as text."""
    return json.dumps(document, indent=2, ensure_ascii=False)


def head(command: str, database: str) -> Document:
    """Return what every document begins with."""
    return {"schema_version": SCHEMA_VERSION, "command": command, "database": database}


def of_all(command: str, found: list[Document]) -> Document:
    """Return the document of a call on several databases: that of each, in order."""
    return {"schema_version": SCHEMA_VERSION, "command": command, "databases": found}


def of_error(command: str, database: str, error: SQLMigrationsError) -> Document:
    """Return the document of a call that could not be answered."""
    problems = error.problems if isinstance(error, (DangersFound, InvalidFiles)) else []
    return {
        **head(command, database),
        "error": {
            "message": error.message,
            "hint": error.hint,
            "problems": [
                {"file": found.file, "line": found.line or None, "message": found.message, "hint": found.hint}
                for found in problems
            ],
        },
    }


def failure_document(failure: Failure | None) -> Document | None:
    """Return what is told of a failure; null where nothing failed."""
    if failure is None:
        return None
    return {
        "message": failure.message,
        "sqlstate": failure.sqlstate,
        "detail": failure.detail,
        "hint": failure.hint,
        "advice": failure.advice,
        "file": failure.file,
        "line": failure.line,
        "column": failure.column,
        "statement": failure.statement,
        "blockers": [blocker.as_json() for blocker in failure.blockers],
    }
