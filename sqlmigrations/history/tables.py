"""Where the history's tables are, and how they come to be."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import Error as DjangoError
from psycopg import sql

from sqlmigrations.database import Connection, fetch_row, fetch_together, raw
from sqlmigrations.exceptions import ConfigurationError
from sqlmigrations.queries import query

if TYPE_CHECKING:
    from django.db.migrations.loader import MigrationLoader


@dataclass(frozen=True, slots=True)
class Tables:
    """The history's tables in the schema where they were found."""

    schema: str

    @property
    def record(self) -> sql.Identifier:
        """The qualified name of the table of records."""
        return sql.Identifier(self.schema, "sqlmigrations_migrationrecord")

    @property
    def event(self) -> sql.Identifier:
        """The qualified name of the table of events."""
        return sql.Identifier(self.schema, "sqlmigrations_migrationevent")

    @property
    def change(self) -> sql.Identifier:
        """The qualified name of the table of schema changes: the DDL log."""
        return sql.Identifier(self.schema, "sqlmigrations_schemachange")

    @property
    def snapshot(self) -> sql.Identifier:
        """The qualified name of the table of the schema's versions."""
        return sql.Identifier(self.schema, "sqlmigrations_schemasnapshot")

    @property
    def health_run(self) -> sql.Identifier:
        """The qualified name of the table of what was measured of the database."""
        return sql.Identifier(self.schema, "sqlmigrations_healthrun")

    @property
    def report(self) -> sql.Identifier:
        """The qualified name of the table of kept reports."""
        return sql.Identifier(self.schema, "sqlmigrations_report")


@dataclass(frozen=True, slots=True)
class Location:
    """Where the history is, or would be made."""

    tables: Tables | None
    current_schema: str
    has_django_migrations: bool
    #: Whether reports can be kept: not before the app's newest migration has run.
    has_reports: bool = False
    #: Whether the DDL log is there: it looks into the history which file is at work.
    has_ddl_log: bool = False
    #: Whether anything was ever logged, though the log itself may be removed by now: that is not kept for ever.
    has_logged_ddl: bool = False

    @property
    def schema(self) -> str:
        """The schema of the tables; the one that they would be made in while there are none."""
        return self.tables.schema if self.tables else self.current_schema


def locate(connection: Connection) -> Location:
    """Find the history's tables through the session's ``search_path``."""
    return _location(fetch_row(connection, query("sql/find_tables.sql")))


def _location(found: tuple[Any, ...]) -> Location:
    schema, current_schema, *has = found
    return Location(Tables(schema) if schema else None, current_schema or "public", *has)


@cache
def _own_migrations() -> frozenset[str]:
    folder = Path(__file__).parents[1] / "migrations"
    return frozenset(path.stem for path in folder.glob("[0-9]*.py"))


_MADE = sql.SQL("SELECT name FROM django_migrations WHERE app = 'sqlmigrations'")


def _look_again(connection: Connection, seen: Location) -> tuple[Location, set[str]]:
    """Return where the history is now, and which of this app's migrations were applied.

    Where Django's table of migrations was ``seen``, that is one message.
    """
    if seen.has_django_migrations:
        [found], made = fetch_together(connection, query("sql/find_tables.sql"), _MADE)
        return _location(found), {name for (name,) in made}
    location = locate(connection)
    return _look_again(connection, location) if location.has_django_migrations else (location, set())


def ensure_tables(wrapper: BaseDatabaseWrapper, seen: Location | None = None) -> Tables:
    """Return the history's tables, made by this app's own migrations where they are missing.

    They run for this app alone, and no signal is sent, which ``call_command("migrate")`` would send to every app of
    the project. It is looked again where they are, even if they were ``seen`` before: another run may have made them.

    Raises:
        ConfigurationError: they can't be made, or Django's history says that they were and they are not there.
    """
    connection = raw(wrapper)
    location, applied = _look_again(connection, seen or locate(connection))
    if not location.tables or not _own_migrations() <= applied:
        _migrate(wrapper)
        location = locate(connection)
    if not location.tables:
        raise ConfigurationError(
            f"The tables of the history are missing from schema {location.current_schema}, though Django's history "
            "says that they were made.",
            hint="Find them in another schema, or run `manage.py migrate sqlmigrations zero --fake` and this again.",
        )
    return location.tables


def _migrate(wrapper: BaseDatabaseWrapper) -> None:
    """Run this app's migrations, all or none; they are SQL, and so it goes in one message."""
    from django.db.migrations.executor import MigrationExecutor  # imported only when it is needed

    executor = MigrationExecutor(wrapper)
    executor.loader = _own_loader(wrapper)
    recorder = executor.recorder
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    try:
        statements = executor.loader.collect_sql(plan)
        recorder.ensure_schema()
        with transaction.atomic(using=wrapper.alias), wrapper.cursor() as cursor:
            cursor.execute("\n".join(statements))
            done = [recorder.Migration(app=migration.app_label, name=migration.name) for migration, _back in plan]
            recorder.migration_qs.bulk_create(done)
    except DjangoError as error:
        raise ConfigurationError(
            f"The tables of the history can't be made: {_first_words(error)}.",
            hint=_HINTS.get(_sqlstate(error), _MAKE_THEM),
        ) from error


#: What helps where the tables can't be made, by SQLSTATE.
_HINTS = {
    "42P07": "They are there, but Django's history doesn't name them, as after a restore without rows. Say that they "
    "were made: manage.py migrate sqlmigrations --fake, and which files the database has: manage.py applysql "
    "--baseline",
    "42501": "Run `manage.py migrate sqlmigrations` as a role that may make tables there, or grant this one CREATE on "
    "the schema.",
    "3F000": "They are made in the first schema of search_path, and it names none that is there: look at what is set "
    "for the role, the database, and in OPTIONS.",
}
_MAKE_THEM = "Once nothing is in their way: manage.py migrate sqlmigrations, or this again."


def _sqlstate(error: BaseException) -> str:
    below = _below(error)
    return (below.sqlstate or "") if below is not None else ""


def _own_loader(wrapper: BaseDatabaseWrapper) -> MigrationLoader:
    """Return a loader that knows this app's migrations alone, also where settings switch migrations off for tests."""
    from django.db.migrations.loader import MigrationLoader

    class OwnMigrations(MigrationLoader):
        @classmethod
        def migrations_module(cls, app_label: str) -> tuple[str | None, bool]:
            return ("sqlmigrations.migrations", False) if app_label == "sqlmigrations" else (None, True)

    return OwnMigrations(wrapper)


def _first_words(error: BaseException) -> str:
    """Return what PostgreSQL said first, or Django where it is not PostgreSQL's error."""
    below = _below(error)
    return (below.diag.message_primary or str(below)) if below is not None else str(error)


def _below(error: BaseException | None) -> psycopg.Error | None:
    """Return PostgreSQL's error below the exceptions that Django wrapped around it, or that came of it."""
    while error is not None and not isinstance(error, psycopg.Error):
        error = error.__cause__ or error.__context__
    return error
