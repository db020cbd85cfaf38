"""Checks of how the project is put together: engines, routers, the order of apps. No database is asked."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from django.apps import apps
from django.core.checks import CheckMessage
from django.core.management import find_commands, get_commands, load_command_class
from django.db import DEFAULT_DB_ALIAS, connections, router

from sqlmigrations.checks.messages import error, warning
from sqlmigrations.checks.settings import is_valid
from sqlmigrations.files.discovery import folders
from sqlmigrations.service.databases import address, has_files, is_postgresql, named_aliases

#: The label of this app, and the package of its commands.
APP = "sqlmigrations"


def check() -> Iterator[CheckMessage]:
    """Yield what keeps files from their database, or our commands from being found."""
    yield from _commands()
    if is_valid("DIRS"):
        yield from _engines()
        yield from _routers()
        yield from _shared_databases()


def _engines() -> Iterator[CheckMessage]:
    """Report databases with SQL files that aren't PostgreSQL; an app's files pass by any other than the default one."""
    named = set(named_aliases())
    if not named and folders(DEFAULT_DB_ALIAS):
        named.add(DEFAULT_DB_ALIAS)
    for alias in connections:
        if alias in named and not is_postgresql(alias):
            yield error(
                "011",
                f"It has SQL files, but is {connections[alias].display_name}; they are applied to PostgreSQL only.",
                hint="Name the right database in SQLMIGRATIONS_DIRS, or set SQLMIGRATIONS_APP_DIRS = False.",
                obj=f"DATABASES['{alias}']",
            )


def _routers() -> Iterator[CheckMessage]:
    for alias in connections:
        if has_files(alias) and not router.allow_migrate(alias, APP):
            yield error(
                "012",
                f"It has SQL files, but a router keeps the app '{APP}' away, so their history has no place.",
                hint=f"Let allow_migrate('{alias}', '{APP}') of the router return True.",
                obj=f"DATABASES['{alias}']",
            )


def _shared_databases() -> Iterator[CheckMessage]:
    """Report two aliases of one database with different files: each would miss the other's."""
    with_files = [alias for alias in connections if has_files(alias)]
    for one, other in combinations(with_files, 2):
        if address(one) == address(other) and folders(one) != folders(other):
            yield warning(
                "014",
                f"It is the same database as '{one}', but has other SQL files: each misses the other's.",
                hint="Give both the same folders in SQLMIGRATIONS_DIRS, or keep one away with a router.",
                obj=f"DATABASES['{other}']",
            )


def _commands() -> Iterator[CheckMessage]:
    """Report commands of ours that those of an app listed above hide, unless they build on ours."""
    found = get_commands()
    for name in find_commands(str(Path(apps.get_app_config(APP).path) / "management")):
        app = found[name]
        if app != APP and not isinstance(load_command_class(app, name), type(load_command_class(APP, name))):
            yield error(
                "013",
                f"The command '{name}' is that of '{app}', which is listed above this app.",
                hint=f"Put '{APP}' above '{app}' in INSTALLED_APPS.",
                obj="settings.INSTALLED_APPS",
            )
