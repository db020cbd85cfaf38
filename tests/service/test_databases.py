"""Tests of which databases have SQL files, through which alias, and how far Django is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.apps import apps
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder
from pytest_django import Settings

from sqlmigrations.service.databases import (
    aliases_with_files,
    django_migrations,
    has_files,
    main_alias,
    named_aliases,
    option,
    pending_django_migrations,
)
from tests.helpers import catalog, put


@pytest.fixture
def app_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the app ``auth`` a folder of SQL files."""
    put(tmp_path, {"app/migrations_sql/001_a.sql": "SELECT 1;"})
    monkeypatch.setattr(apps.get_app_config("auth"), "path", str(tmp_path / "app"))
    return tmp_path / "app" / "migrations_sql"


@pytest.fixture
def one_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``default`` and ``other`` be the same database."""
    monkeypatch.setitem(connections["other"].settings_dict, "NAME", connections["default"].settings_dict["NAME"])


@pytest.mark.parametrize(
    ("dirs", "expected"),
    [
        ([], ()),
        (["a"], ("default",)),
        ({}, ()),
        ({"other": ["a"], "default": []}, ("other",)),
        ({"other": ["a"], "default": ["b"]}, ("other", "default")),
    ],
)
def test_named_aliases(settings: Settings, dirs: object, expected: tuple[str, ...]) -> None:
    settings.SQLMIGRATIONS_DIRS = dirs
    assert named_aliases() == expected


def test_the_option_of_a_command() -> None:
    assert [option("default"), option("other")] == ["", " --database other"]


def test_no_files_at_all() -> None:
    assert aliases_with_files() == ()
    assert main_alias("default") == "default"


def test_the_folders_of_the_project(settings: Settings, folder: Path) -> None:
    assert aliases_with_files() == ("default",)
    assert not has_files("other")
    settings.SQLMIGRATIONS_DIRS = {"other": [folder]}
    assert aliases_with_files() == ("other",)


@pytest.mark.usefixtures("app_folder")
def test_an_apps_folder_belongs_to_every_database() -> None:
    assert aliases_with_files() == ("default", "other")


@pytest.mark.usefixtures("one_database")
def test_aliases_of_one_database_with_schemas_of_their_own(
    settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each tenant's alias has a history of its own; else one of them would be left out in silence."""
    settings.SQLMIGRATIONS_DIRS = {"default": [folder], "other": [folder]}
    assert aliases_with_files() == ("default",)
    monkeypatch.setitem(connections["other"].settings_dict, "OPTIONS", {"options": "-c search_path=tenant"})
    assert aliases_with_files() == ("default", "other")
    settings.SQLMIGRATIONS_DIRS = {"default": [folder]}
    assert (aliases_with_files(), main_alias("other")) == (("default",), "default")


@pytest.mark.usefixtures("app_folder", "one_database")
def test_two_names_of_one_database(settings: Settings, folder: Path) -> None:
    """The one that the settings name goes before the one that comes first."""
    settings.SQLMIGRATIONS_DIRS = []
    assert aliases_with_files() == ("default",)
    settings.SQLMIGRATIONS_DIRS = {"other": [folder]}
    assert aliases_with_files() == ("other",)
    assert main_alias("default") == "other"


@pytest.mark.usefixtures("fresh_database")
def test_pending_django_migrations() -> None:
    """Looking makes no table."""
    before = catalog()
    pending = pending_django_migrations("default")
    assert catalog() == before
    assert set(pending) == {f"{label}.{name}" for label, name in django_migrations()}
    recorder = MigrationRecorder(connections["default"])
    for label, name in django_migrations():
        recorder.record_applied(label, name)
    assert pending_django_migrations("default") == ()
    recorder.record_unapplied("sessions", "0001_initial")
    assert pending_django_migrations("default") == ("sessions.0001_initial",)
