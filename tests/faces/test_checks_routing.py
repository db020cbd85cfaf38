"""Tests of the checks of how a project is put together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand
from django.db import connections
from pytest_django import Settings

from sqlmigrations.checks import routing
from sqlmigrations.management.commands.applysql import Command as ApplySQL
from tests.faces.checklists import check
from tests.helpers import put


@contextmanager
def sqlite(alias: str) -> Iterator[None]:
    """Let an alias be a SQLite database for the time of the block."""
    kept = connections[alias]
    given = {**connections.settings["default"], "ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    connections.settings[alias], given = given, connections.settings.get(alias, {})
    connections[alias] = connections.create_connection(alias)
    try:
        yield
    finally:
        connections.settings[alias] = given
        connections[alias] = kept


class Router:
    """Keep this app out of one database, and auth's files out of another."""

    def allow_migrate(self, db: str, app_label: str, **hints: object) -> bool | None:
        """Say whether an app belongs into a database."""
        return False if (db, app_label) in (("other", "sqlmigrations"), ("default", "auth")) else None


def test_a_database_that_is_not_postgresql(settings: Settings, folder: Path) -> None:
    settings.SQLMIGRATIONS_DIRS = {"default": [folder], "other": [folder]}
    with sqlite("other"):
        assert check("other") == [
            "E011 DATABASES['other']: It has SQL files, but is SQLite; they are applied to PostgreSQL only. | "
            "Name the right database in SQLMIGRATIONS_DIRS, or set SQLMIGRATIONS_APP_DIRS = False."
        ]


def test_an_apps_files_pass_by_a_second_database_that_is_not_postgresql(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, {"migrations_sql/001_a.sql": "SELECT 1;"})
    monkeypatch.setattr(apps.get_app_config("auth"), "path", str(tmp_path))
    with sqlite("other"):
        assert check() == []
    with sqlite("default"):
        assert [text.partition(":")[0] for text in check()] == ["E011 DATABASES['default']"]


def test_a_router_that_keeps_the_history_away(settings: Settings, folder: Path) -> None:
    settings.DATABASE_ROUTERS = [Router()]
    assert check() == []
    settings.SQLMIGRATIONS_DIRS = {"default": [folder], "other": [folder]}
    assert check() == [
        "E012 DATABASES['other']: It has SQL files, but a router keeps the app 'sqlmigrations' away, "
        "so their history has no place. | "
        "Let allow_migrate('other', 'sqlmigrations') of the router return True."
    ]


def test_two_names_of_one_database(
    settings: Settings, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections["other"].settings_dict, "NAME", connections["default"].settings_dict["NAME"])
    settings.SQLMIGRATIONS_DIRS = {"default": [folder], "other": [folder]}
    assert check() == []
    settings.SQLMIGRATIONS_DIRS = {"default": [folder], "other": [folder, tmp_path]}
    assert check() == [
        "W014 DATABASES['other']: It is the same database as 'default', but has other SQL files: "
        "each misses the other's. | "
        "Give both the same folders in SQLMIGRATIONS_DIRS, or keep one away with a router."
    ]


class Stranger(BaseCommand):
    """A command of the same name that has nothing to do with ours."""


class Heir(ApplySQL):
    """A project's own version of ours."""


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            Stranger(),
            [
                "E013 settings.INSTALLED_APPS: The command 'applysql' is that of 'legacy', "
                "which is listed above this app. | "
                "Put 'sqlmigrations' above 'legacy' in INSTALLED_APPS."
            ],
        ),
        (Heir(), []),
    ],
    ids=["a stranger", "an heir"],
)
def test_a_command_of_our_name(monkeypatch: pytest.MonkeyPatch, command: BaseCommand, expected: list[str]) -> None:
    found = get_commands()

    def load(app: str, name: str) -> BaseCommand:
        return command if app == "legacy" else load_command_class(app, name)

    monkeypatch.setattr(routing, "get_commands", lambda: {**found, "applysql": "legacy"})
    monkeypatch.setattr(routing, "load_command_class", load)
    assert check() == expected
