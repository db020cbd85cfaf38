"""Records: what the database holds of each file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import psycopg
import pytest

from sqlmigrations.database import Connection
from sqlmigrations.exceptions import HistoryIsReadOnly
from sqlmigrations.files.kinds import Kind
from sqlmigrations.history import (
    Event,
    Record,
    Tables,
    read_record,
    read_records,
    read_texts,
    write_record,
)
from sqlmigrations.models import EventType, MigrationEvent, MigrationRecord, State
from tests.helpers import rows
from tests.history.chains import WHEN, make_chain


def record_values(**changed: Any) -> dict[Any, Any]:
    values: dict[str, Any] = {
        "kind": "versioned",
        "state": "applied",
        "success": True,
        "executed_at": WHEN,
        "attempted_at": WHEN,
        "checksum": "v1:0",
        "applied_by": "alice",
    }
    return {**values, **changed}


def test_the_kinds_of_files_are_those_of_the_table(connection: Connection) -> None:
    for kind in Kind:
        write_record(connection, Tables("public"), f"{kind}.sql", record_values(kind=str(kind)))
    with pytest.raises(psycopg.errors.CheckViolation):
        write_record(connection, Tables("public"), "x.sql", record_values(kind="other"))


def test_a_record_is_inserted_then_changed_in_just_the_columns_named(connection: Connection) -> None:
    tables = Tables("public")
    write_record(connection, tables, "001_ä'\".sql", record_values(applied_sql="SELECT 1", tags=["a", "b"]))
    later = WHEN + timedelta(hours=1)
    write_record(
        connection,
        tables,
        "001_ä'\".sql",
        {
            "kind": "versioned",
            "state": "failed",
            "success": False,
            "attempted_at": later,
            "applied_by": "bob",
            "error_message": "no",
            "error_line": 7,
            "error_sqlstate": "42601",
            "progress": {"intent": None},
        },
    )

    expected = Record(
        filename="001_ä'\".sql",
        kind=Kind.VERSIONED,
        state=State.FAILED,
        checksum="v1:0",
        executed_at=WHEN,
        attempted_at=later,
        execution_time_ms=None,
        error_message="no",
        error_sqlstate="42601",
        error_line=7,
        statements_done=0,
        statements_total=None,
        applied_by="bob",
        progress={"intent": None},
    )
    assert read_record(connection, tables, "001_ä'\".sql") == expected
    assert read_records(connection, tables) == {"001_ä'\".sql": expected}
    assert read_texts(connection, tables, ["001_ä'\".sql", "none.sql"]) == {"001_ä'\".sql": "SELECT 1"}
    assert rows("SELECT tags FROM sqlmigrations_migrationrecord") == [(["a", "b"],)]
    assert read_record(connection, tables, "none.sql") is None


@pytest.mark.parametrize(
    "values",
    [
        {"state": "applied", "success": False},
        {"state": "applied", "success": None},
        {"state": "applied", "executed_at": None},
        {"state": "applied", "checksum": ""},
        {"state": "applied", "error_message": "yet it failed"},
        {"state": "failed", "success": True},
        {"state": "failed", "success": None},
        {"state": "partial", "success": True},
        {"state": "in_doubt", "success": None},
        {"state": "baselined", "success": True},
        {"state": "reverted", "success": False},
        {"state": "retired", "success": True},
        {"state": "retired", "success": None, "error_message": "no"},
        {"state": "unheard of", "success": True},
    ],
    ids=str,
)
def test_a_record_that_contradicts_itself_is_refused(connection: Connection, values: dict[str, Any]) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        write_record(connection, Tables("public"), "x.sql", record_values(**values))


@pytest.mark.parametrize(
    ("state", "executed", "held"),
    [
        (State.APPLIED, True, True),
        (State.BASELINED, True, True),
        (State.RETIRED, True, True),
        (State.FAILED, False, False),
        (State.FAILED, True, True),  # a repeatable that failed after it had succeeded: the old text is still there
        (State.PARTIAL, False, False),
        (State.IN_DOUBT, False, False),
        (State.REVERTED, True, False),
    ],
)
def test_what_the_database_holds(state: State, executed: bool, held: bool) -> None:
    at = WHEN if executed else None
    record = Record("a.sql", Kind.VERSIONED, state, "v1:0", at, WHEN, None, "", "", None, 0, None, "alice", None)
    assert record.is_held is held


# The ORM


def test_the_orm_reads_and_never_writes(connection: Connection) -> None:
    write_record(connection, Tables("public"), "001.sql", record_values())
    make_chain().append(connection, Event(EventType.APPLIED, "001.sql"))

    for model in (MigrationRecord, MigrationEvent):
        row = model.objects.get()
        manager = model.objects
        writes: list[Callable[[], object]] = [
            row.save,
            row.delete,
            manager.create,
            partial(manager.bulk_create, []),
            partial(manager.update, filename="x"),
            partial(manager.bulk_update, [], []),
            manager.all().delete,
            partial(manager.get_or_create, filename="none"),
            partial(manager.update_or_create, filename="001.sql", defaults={"filename": "x"}),
        ]
        for write in writes:
            with pytest.raises(HistoryIsReadOnly, match=f"^{model.__name__} is written by the runner alone"):
                write()
        assert model.objects.get().filename == "001.sql"
