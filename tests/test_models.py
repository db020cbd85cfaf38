"""How rows of the history's tables call themselves: in shells, logs and tracebacks."""

from __future__ import annotations

import pytest
from django.db.models import Model

from sqlmigrations.models import (
    HealthRun,
    MigrationEvent,
    MigrationRecord,
    Report,
    SchemaChange,
    SchemaExpectation,
    SchemaSnapshot,
    SchemaText,
)


@pytest.mark.parametrize(
    ("row", "name"),
    [
        (MigrationRecord(filename="001.sql"), "001.sql"),
        (MigrationEvent(filename="001.sql", type="applied"), "001.sql applied"),
        (MigrationEvent(filename="", type="accepted"), "accepted"),
        (SchemaChange(tag="CREATE TABLE", object="public.users"), "CREATE TABLE public.users"),
        (SchemaChange(tag="DROP OWNED", object=""), "DROP OWNED"),
        (SchemaSnapshot(id=3, reason="run"), "3 run"),
        (SchemaText(hash="ab12"), "ab12"),
        (HealthRun(id=4, reason="gate"), "4 gate"),
        (SchemaExpectation(key="cd34"), "cd34"),
        (Report(id=5, kind="drift"), "drift 5"),
    ],
)
def test_rows_are_called(row: Model, name: str) -> None:
    assert str(row) == name
