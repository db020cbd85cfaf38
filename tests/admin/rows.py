"""Rows of the history, written straight into its tables: pages are tested without a runner."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import connections
from psycopg import sql
from psycopg.types.json import Jsonb

NOON = datetime(2026, 11, 21, 12, 0, 5, tzinfo=UTC)
RUN = "0f8a1c52-6a0e-4c1b-9d0f-3f1a2b3c4d5e"
GENESIS = "0" * 64

RECORD: Mapping[str, Any] = {
    "filename": "001_initial_schema.sql",
    "kind": "versioned",
    "state": "applied",
    "success": True,
    "executed_at": NOON,
    "attempted_at": NOON,
    "execution_time_ms": 12.3,
    "checksum": "v1:" + "ab12" * 16,
    "applied_sql": "CREATE TABLE users (id uuid PRIMARY KEY);\n",
    "statements_done": 1,
    "statements_total": 1,
    "applied_by": "deploy",
}

FAILED: Mapping[str, Any] = {
    "filename": "002_add_indexes.sql",
    "state": "failed",
    "success": False,
    "executed_at": None,
    "checksum": "",
    "applied_sql": None,
    "statements_done": 0,
    "statements_total": None,
    "error_message": 'relation "userz" does not exist',
    "error_sqlstate": "42P01",
    "error_line": 3,
}

EVENT: Mapping[str, Any] = {
    "run": RUN,
    "type": "applied",
    "filename": "001_initial_schema.sql",
    "at": NOON,
    "duration_ms": 12.3,
    "role": "deploy",
    "os_user": "ci",
    "host": "build-7",
    "application_name": "applysql",
    "backend_pid": 12345,
    "backend_start": NOON,
    "tool": "0.1.0",
    "server": "18.6",
}


def add_record(*, using: str = "default", **values: Any) -> int:
    """Add a record like ``RECORD`` but for ``values``; return its id."""
    return _insert("sqlmigrations_migrationrecord", {**RECORD, **values}, using)


def add_failed(**values: Any) -> int:
    """Add a record of a file that has only ever failed; return its id."""
    return add_record(**{**FAILED, **values})


def add_event(*, using: str = "default", **values: Any) -> int:
    """Add an event like ``EVENT`` but for ``values``, behind the last one; return its id."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT hash FROM sqlmigrations_migrationevent ORDER BY id DESC LIMIT 1")
        row = cursor.fetchone()
    before = row[0] if row else GENESIS
    chain = {"previous_hash": before, "hash": hashlib.sha256(before.encode()).hexdigest()}
    return _insert("sqlmigrations_migrationevent", {**EVENT, **chain, **values}, using)


def _insert(table: str, row: Mapping[str, Any], using: str) -> int:
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING id").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(sql.Placeholder() * len(row)),
    )
    values: list[Any] = [Jsonb(value) if isinstance(value, (dict, list)) else value for value in row.values()]
    with connections[using].cursor() as cursor:
        cursor.execute(statement, values)
        (row_id,) = cursor.fetchone()
    return int(row_id)
