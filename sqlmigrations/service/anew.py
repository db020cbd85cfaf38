"""Makes a database anew, from nothing: Django's migrations and SQL files in a scratch database.

What they change beyond their database (roles, tablespaces, the server's settings) is left out: it belongs to other
databases too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from sqlmigrations.exceptions import InvalidFile, SQLMigrationsError
from sqlmigrations.files.recorded import RecordedFile
from sqlmigrations.files.scripts import SMALL, Script, SQLFile
from sqlmigrations.files.server_wide import without_server_wide
from sqlmigrations.history import read_record
from sqlmigrations.runner.task import Task, backwards, forwards
from sqlmigrations.schema.catalog import Catalog, read_catalog
from sqlmigrations.schema.difference import Difference, Source
from sqlmigrations.schema.scratch import Scratch, scratch_database
from sqlmigrations.schema.stand_in import OutsideScratch
from sqlmigrations.service.run import Run, open_run
from sqlmigrations.service.within_migration import tasks_made_by
from sqlmigrations.severity import Severity


class ReplayFailed(SQLMigrationsError):
    """A migration or a file does not run on an empty database."""

    def __init__(self, kind: str, name: str, why: str) -> None:
        self.kind = kind
        self.name = name
        self.why = why
        super().__init__(f"{kind} {name} does not run on an empty database: {why}")

    def as_difference(self, source: Source) -> Difference:
        """Return it as a difference that ``source`` tells."""
        outside = isinstance(self.__cause__, OutsideScratch)
        return Difference(
            source,
            self.kind,
            self.name,
            "replay",
            "possible on an empty database",
            self.why,
            Severity.WARNING if outside else Severity.ERROR,
            "what can't be made from nothing can't be made for tests or after a loss either: mend it",
        )


@contextmanager
def anew(live: BaseDatabaseWrapper, purpose: str) -> Iterator[Anew]:
    """Make a scratch database that stands in for the live one during the block.

    Raises:
        NoScratch: there can be none.
    """
    loader = MigrationLoader(live)  # of two squashed histories, the one that the live database has
    loader.applied_migrations = {}
    with scratch_database(live, purpose) as scratch, scratch.standing_in():
        yield Anew(scratch, loader)


@dataclass
class Anew:
    """A scratch database in which things are made from nothing."""

    scratch: Scratch
    loader: MigrationLoader
    left_out: list[str] = field(default_factory=list)

    def migrate(self, migrations: Collection[tuple[str, str]] | None) -> None:
        """Apply Django's migrations: those named, or all.

        Signals are not sent: their receivers make rows, not schema, and may reach further than this database.

        Raises:
            ReplayFailed: one fails.
        """
        executor = MigrationExecutor(self.scratch.wrapper)
        executor.loader = self.loader
        progress = _Progress()
        executor.progress_callback = progress.note
        leaves = executor.loader.graph.leaf_nodes()
        plan = [
            (migration, False)
            for migration, _backwards in executor.migration_plan(leaves, clean_start=True)
            if migrations is None or (migration.app_label, migration.name) in migrations
        ]
        try:
            with self.scratch.wrapper.execute_wrapper(self._locally), tasks_made_by(self._task):
                executor.migrate([], plan=plan)
        except Exception as error:  # a migration may raise anything
            raise ReplayFailed("migration", progress.name, _first_line(error)) from error

    def _locally(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        """Execute a migration's SQL without the statements that reach beyond the database."""
        if params is None and isinstance(sql, str) and _MAY_REACH_FURTHER.search(sql):
            with suppress(InvalidFile):  # what can't be split is the server's to judge
                text, left_out = without_server_wide(sql.encode())
                self._note(left_out)
                sql = text.decode()
                if left_out and not sql.strip("; \n"):
                    return None
        return execute(sql, params, many, context)

    def _note(self, left_out: Sequence[tuple[int, str]]) -> None:
        self.left_out += [command for _line, command in left_out]

    def apply(self, run: Run, file: SQLFile) -> None:
        """Apply a file, unless a migration has done so.

        Raises:
            ReplayFailed: it fails.
        """
        if not self.holds(run, file):
            self._run(run, self._task(file))

    def holds(self, run: Run, file: SQLFile) -> bool:
        """Tell whether a file was applied here."""
        record = read_record(run.connection, run.tables, file.name)
        return record is not None and record.is_held

    def _task(self, file: SQLFile) -> Task:
        """Return the task of applying a file without its verify script, which may ask for data."""
        return replace(forwards(self._local(file)), verify=None)

    def revert(self, run: Run, file: SQLFile, down: Script) -> None:
        """Run the down script of a file.

        Raises:
            ReplayFailed: it fails.
        """
        self._run(run, backwards(file.name, file.kind, down))

    def _run(self, run: Run, task: Task) -> None:
        outcome = run.executor.run(task, read_record(run.connection, run.tables, task.name))
        if outcome.error is not None:
            why = f"{outcome.error.where}: {outcome.error.message}"
            raise ReplayFailed("file", task.script.name, why)

    def _local(self, file: SQLFile) -> SQLFile:
        """Return the file without the statements that reach beyond the database; a large one as it is."""
        if file.size > SMALL:
            return file
        text, left_out = without_server_wide(b"".join(file.blocks()), file.name)
        if not left_out:
            return file
        self._note(left_out)
        return RecordedFile(file.name, file.path, kind=file.kind, folder=file.folder, text=text.decode())

    @contextmanager
    def runs(self) -> Iterator[Run]:
        """Hold a run in the scratch database."""
        with open_run(self.scratch.wrapper, lock_wait=0, tell=lambda told: None) as run:
            yield run

    def catalog(self) -> Catalog:
        """Read what is there now."""
        return read_catalog(self.scratch.connection)


#: Words without which no statement reaches beyond its database.
_MAY_REACH_FURTHER = re.compile(
    r"\b(?:role|user|group|database|tablespace|subscription|system|owned|grant|revoke)\b", re.IGNORECASE
)


class _Progress:
    """Remembers which migration is at work."""

    name = "of Django"

    def note(self, action: str, migration: Any = None, fake: bool | None = False) -> None:
        """Take a report of Django's executor."""
        if migration is not None:
            self.name = str(migration)


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
