"""An operation of Django migrations that applies a SQL file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import router
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation, OperationCategory
from django.db.migrations.state import ProjectState


class ApplySQL(Operation):
    """Apply a SQL file in the migration's transaction, and record it as ``applysql`` would.

    ``name`` is the file's name in the app's own folder, else its whole name. ``state_operations`` are operations that
    have the same effect as the file on the models' state, as of Django's ``RunSQL``; ``hints`` are given to routers.
    Backwards, its down script runs. What ``applysql`` has applied, or ``revertsql`` reverted, before is left alone.

        class Migration(migrations.Migration):
            dependencies = [("shop", "0002_customer_email")]
            operations = [ApplySQL("003_customer_search.sql")]
    """

    category = OperationCategory.SQL
    reduces_to_sql = True
    reversible = True

    def __init__(
        self,
        name: str,
        *,
        state_operations: Sequence[Operation] = (),
        hints: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.state_operations = list(state_operations)
        self.hints = dict(hints or {})

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return what the operation is written as when migrations are squashed."""
        given: dict[str, Any] = {}
        if self.state_operations:
            given["state_operations"] = self.state_operations
        if self.hints:
            given["hints"] = self.hints
        return self.__class__.__qualname__, [self.name], given

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Do to the models' state what the file does to the database."""
        for operation in self.state_operations:
            operation.state_forwards(app_label, state)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Apply the file.

        Raises:
            SQLMigrationsError: it can't be applied; nothing of it is left where the migration has a transaction.
        """
        self._do(app_label, schema_editor, is_down=False)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Run the file's down script, as it was kept when the file was applied, else as it stands on disk.

        Raises:
            SQLMigrationsError: there is none, or it can't be run.
        """
        self._do(app_label, schema_editor, is_down=True)

    def describe(self) -> str:
        """Return what ``migrate --plan`` shows."""
        return f"Apply the SQL file {self.name}"

    @property
    def migration_name_fragment(self) -> str:
        """What a squashed migration may be called after."""
        return self.name.rpartition("/")[2].removesuffix(".sql").lower()

    def _do(self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, *, is_down: bool) -> None:
        """Run the file or its down script, or show it where ``sqlmigrate`` asks."""
        if not self._concerns(app_label, schema_editor):
            return
        if schema_editor.collect_sql:
            self._show(app_label, schema_editor, is_down=is_down)
            return
        from sqlmigrations.service.within_migration import apply_file, revert_file

        run = revert_file if is_down else apply_file
        run(schema_editor.connection, self.name, app_label)

    def _concerns(self, app_label: str, schema_editor: BaseDatabaseSchemaEditor) -> bool:
        """Tell whether the database is one for this operation: SQL files are for PostgreSQL, and routers decide."""
        connection = schema_editor.connection
        return connection.vendor == "postgresql" and router.allow_migrate(connection.alias, app_label, **self.hints)

    def _show(self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, *, is_down: bool) -> None:
        """Give ``sqlmigrate`` the text of the file."""
        from sqlmigrations.service.within_migration import script_of

        script = script_of(schema_editor.connection.alias, self.name, app_label, is_down=is_down)
        if script is None:
            schema_editor.collected_sql.append(f"-- {self.name} has no down script on disk.")
            return
        text = b"".join(script.blocks()).decode(errors="replace")
        schema_editor.collected_sql += [f"-- {script.name}", text.replace("\r\n", "\n").rstrip("\n")]
