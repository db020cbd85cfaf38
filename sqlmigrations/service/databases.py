"""Which of the project's databases have SQL files, and how far Django's own migrations are there."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from sqlmigrations.conf import settings
from sqlmigrations.files.discovery import folders

#: What tells one database from another: server, port, service, name.
Address = tuple[str, str, str, str]


def is_postgresql(alias: str) -> bool:
    """Say whether the alias's engine is PostgreSQL; connects to nothing."""
    return connections[alias].vendor == "postgresql"


def address(alias: str) -> Address:
    """Return where the alias's database is: two aliases with the same address are one database."""
    given = connections[alias].settings_dict
    service = given["OPTIONS"].get("service", "")
    return given["HOST"] or "", str(given["PORT"] or ""), service, given["NAME"] or ""


def option(alias: str) -> str:
    """Return the option that a command needs to work on the alias, behind a space; none for the default one."""
    return "" if alias == DEFAULT_DB_ALIAS else f" --database {alias}"


def named_aliases() -> tuple[str, ...]:
    """Return the aliases that SQLMIGRATIONS_DIRS gives folders."""
    if isinstance(settings.DIRS, Mapping):
        return tuple(alias for alias, paths in settings.DIRS.items() if paths)
    return (DEFAULT_DB_ALIAS,) if settings.DIRS else ()


def has_files(alias: str) -> bool:
    """Say whether the alias is a PostgreSQL database with folders of SQL files, its own or those of apps."""
    return is_postgresql(alias) and bool(folders(alias))


def main_alias(alias: str) -> str:
    """Return the alias through which the files of this alias's database are applied.

    Of several aliases of one database that is the first which SQLMIGRATIONS_DIRS names, else the first that has files.
    One that it names and whose sessions start with other options, a search_path say, stands for itself.
    """
    same = [other for other in connections if is_postgresql(other) and address(other) == address(alias)]
    with_files = [other for other in same if has_files(other)]
    named = [other for other in with_files if other in named_aliases()]
    main = next(iter([*named, *with_files, alias]))
    return alias if alias in named and _start_options(alias) != _start_options(main) else main


def _start_options(alias: str) -> str:
    """Return what the alias's sessions start with."""
    return str(connections[alias].settings_dict["OPTIONS"].get("options", ""))


def aliases_with_files() -> tuple[str, ...]:
    """Return an alias for each PostgreSQL database that has SQL files."""
    return tuple(dict.fromkeys(main_alias(alias) for alias in connections if has_files(alias)))


def distinct_aliases() -> tuple[str, ...]:
    """Return an alias for each PostgreSQL database, the first one of several."""
    found: dict[Address, str] = {}
    for alias in connections:
        if is_postgresql(alias):
            found.setdefault(address(alias), alias)
    return tuple(found.values())


def django_migrations() -> frozenset[tuple[str, str]]:
    """Return all Django migrations of the project, as (app label, name); asks no database."""
    from django.db.migrations.loader import MigrationLoader  # imports every migration of the project

    return frozenset(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)


def applied_migrations(wrapper: BaseDatabaseWrapper) -> frozenset[tuple[str, str]]:
    """Return the Django migrations that are applied in one database, as (app label, name)."""
    from django.db.migrations.recorder import MigrationRecorder  # loads all that migrations are made of

    return frozenset(MigrationRecorder(wrapper).applied_migrations())


def pending_django_migrations(alias: str) -> tuple[str, ...]:
    """Return the Django migrations that ``migrate`` without arguments would apply, in its order.

    Raises:
        django.db.utils.Error: the database can't be asked.
    """
    from django.db.migrations.executor import MigrationExecutor  # imports every migration of the project

    executor = MigrationExecutor(connections[alias])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return tuple(f"{migration.app_label}.{migration.name}" for migration, _backwards in plan)
