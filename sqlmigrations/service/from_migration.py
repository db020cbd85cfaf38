"""Writes the SQL of a Django migration as the texts of a file and its down script, as ``sqlmigrate`` shows it."""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS
from django.db.migrations import Migration
from django.db.migrations.exceptions import AmbiguityError, IrreversibleError
from django.db.migrations.loader import MigrationLoader

from sqlmigrations.database import connected
from sqlmigrations.exceptions import ConfigurationError
from sqlmigrations.service.makesql import Texts


def migration_texts(app: str, name: str, *, database: str = DEFAULT_DB_ALIAS) -> Texts:
    """Return what a Django migration does to a database, and what undoes it where the migration can be undone.

    ``name`` may be the beginning of the migration's name. Operations that are no SQL are left out, and told.

    Raises:
        ConfigurationError: there is no such migration, or it changes nothing in the database.
        DatabaseUnavailable: the database can't be asked; names of constraints are looked up there.
    """
    with connected(database) as wrapper:
        loader = MigrationLoader(wrapper, replace_migrations=False)
        migration = _find(loader, app, name)
        up = _collect(loader, migration, backwards=False)
        if not _statements(up):
            raise ConfigurationError(f"The migration {migration} changes nothing in database '{database}'.")
        try:
            down = _collect(loader, migration, backwards=True)
        except IrreversibleError:
            down = None
    off = [] if migration.atomic else ["-- sqlmigrations: transaction off"]
    return Texts(
        _text(f"-- What Django's migration {migration} does.", [*off, *_requires(loader, migration)], up),
        _text(f"-- What undoes Django's migration {migration}.", off, down) if down and _statements(down) else None,
        left_out=tuple(operation.describe() for operation in migration.operations if not operation.reduces_to_sql),
        slug=migration.name.lstrip("0123456789_") or migration.name,
    )


def _find(loader: MigrationLoader, app: str, name: str) -> Migration:
    """Return a migration. Raises ``ConfigurationError`` unless there is just one."""
    try:
        apps.get_app_config(app)
        return loader.get_migration_by_prefix(app, name)
    except LookupError as error:
        known = app in loader.migrated_apps
        raise ConfigurationError(
            f"The app '{app}' has no migration '{name}'." if known else f"There is no app '{app}' with migrations.",
            hint=f"See them with: manage.py showmigrations {app}" if known else "Name one by its label.",
        ) from error
    except AmbiguityError as error:
        words = f"Several migrations of '{app}' begin with '{name}'."
        raise ConfigurationError(words, hint="Write more of it.") from error


def _collect(loader: MigrationLoader, migration: Migration, *, backwards: bool) -> list[str]:
    """Return the statements and comments that Django would send.

    Raises:
        IrreversibleError: an operation can't be undone.
    """
    return [str(line) for line in loader.collect_sql([(migration, backwards)])]


def _statements(lines: Iterable[str]) -> list[str]:
    """Return the lines that hold more than comments."""
    return [line for line in lines if any(part and not part.startswith("--") for part in line.splitlines())]


def _requires(loader: MigrationLoader, migration: Migration) -> list[str]:
    """Return the directive that keeps the file behind the migrations that this one is behind."""
    node = loader.graph.node_map[(migration.app_label, migration.name)]
    before = ", ".join(f"django:{app}.{name}" for app, name in sorted(parent.key for parent in node.parents))
    return [f"-- sqlmigrations: requires {before}"] if before else []


def _text(*parts: str | Iterable[str]) -> str:
    lines = [line for part in parts for line in ([part] if isinstance(part, str) else part)]
    return "\n".join(lines).rstrip() + "\n"
