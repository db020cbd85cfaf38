"""What the migrations of this app are made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import migrations

HERE = Path(__file__).parent


class RunOnPostgreSQL(migrations.RunSQL):
    """Run SQL where the database is PostgreSQL; other aliases of a project have no use for a history."""

    @classmethod
    def from_files(cls, name: str, state_operations: list[Any]) -> RunOnPostgreSQL:
        """Run ``<name>.sql`` beside this module forwards, ``<name>.down.sql`` backwards."""
        return cls(
            sql=(HERE / f"{name}.sql").read_text(),
            reverse_sql=(HERE / f"{name}.down.sql").read_text(),
            state_operations=state_operations,
        )

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Make the tables."""
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Remove the tables."""
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
