"""What the migrations of this app are made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import migrations
from django.db.migrations.recorder import MigrationRecorder

HERE = Path(__file__).parent


class RunOnPostgreSQL(migrations.RunSQL):
    """Run SQL where the database is PostgreSQL; other aliases of a project have no use for a history.

    The tables are made by whoever needs them first. A migration of the project that applies a SQL file may come before
    ours in one ``migrate``: ours then finds itself done.
    """

    #: The migration's name.
    name = ""

    @classmethod
    def from_files(cls, name: str, state_operations: list[Any]) -> RunOnPostgreSQL:
        """Run ``<name>.sql`` beside this module forwards, ``<name>.down.sql`` backwards."""
        made = cls(
            sql=(HERE / f"{name}.sql").read_text(),
            reverse_sql=(HERE / f"{name}.down.sql").read_text(),
            state_operations=state_operations,
        )
        made.name = name
        return made

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Make the tables, unless Django's history says that they were made."""
        if schema_editor.connection.vendor == "postgresql" and not self._is_done(schema_editor):
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def _is_done(self, schema_editor: Any) -> bool:
        if schema_editor.collect_sql:
            return False
        return ("sqlmigrations", self.name) in MigrationRecorder(schema_editor.connection).applied_migrations()

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Remove the tables."""
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
