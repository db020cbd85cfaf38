"""Tests of the checks of SQL files, which ask no database."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connections
from pytest_django import Settings

from tests.faces.checklists import check
from tests.helpers import put


def test_good_files(folder: Path) -> None:
    put(
        folder,
        {
            "001_a.sql": "-- sqlmigrations: requires django:auth.0001_initial\nSELECT 1;",
            "001_a.down.sql": "SELECT 1;",
            "001_a.verify.sql": "SELECT true;",
            "002_b.sql": "-- sqlmigrations: requires 001_a.sql\nSELECT 1;",
            "repeatable/view.sql": "SELECT 1;",
            "seed/test_data.sql": "SELECT 1;",
            "README.md": "# About these files",
        },
    )
    assert check() == []


def test_no_files_at_all() -> None:
    assert check() == []


CASES: list[tuple[str, dict[str, str | bytes], list[str]]] = [
    (
        "a directive that doesn't exist, with its line",
        {"001_a.sql": "-- first\n-- sqlmigrations: trnsaction off\nSELECT 1;"},
        [
            "E024 001_a.sql:2: Unknown directive 'trnsaction'. | Known are: requires, transaction, isolation, "
            "lock_timeout, statement_timeout, retries, batch, pause, max_lag, allow, tags, sensitive."
        ],
    ),
    (
        "a directive's value, in a companion too",
        {
            "001_a.sql": "-- sqlmigrations: lock_timeout soon\nSELECT 1;",
            "001_a.down.sql": "-- sqlmigrations: retries many\nSELECT 1;",
        },
        [
            "E024 001_a.down.sql:1: Directive 'retries' can't be 'many'. | Write a number from 0 to 1000.",
            "E024 001_a.sql:1: Directive 'lock_timeout' can't be 'soon'. | "
            "Write a time as PostgreSQL does: 3s, 500ms, 10min, or 0 for no limit.",
        ],
    ),
    (
        "a requirement that no file has",
        {"001_users.sql": "SELECT 1;", "002_b.sql": "-- sqlmigrations: requires 001_user.sql\nSELECT 1;"},
        ["E025 002_b.sql: Requires 001_user.sql, which no SQL file is called. | Did you mean 001_users.sql?"],
    ),
    (
        "a Django migration that doesn't exist",
        {"001_a.sql": "-- sqlmigrations: requires django:auth.0099_nothing\nSELECT 1;"},
        [
            "E025 001_a.sql: Requires the Django migration auth.0099_nothing, which does not exist. | "
            "Look at: manage.py showmigrations auth"
        ],
    ),
    (
        "a circle",
        {"001_a.sql": "-- sqlmigrations: requires 002_b.sql\nSELECT 1;", "002_b.sql": "SELECT 1;"},
        [
            "E026 001_a.sql: These files wait for each other: 001_a.sql -> 002_b.sql -> 001_a.sql. | "
            "Each runs after the one behind its arrow: remove a 'requires', or rename a file."
        ],
    ),
    (
        "an ending in capitals",
        {"001_a.SQL": "SELECT 1;"},
        ["W031 001_a.SQL: Is ignored: its name does not end in .sql. | Rename it."],
    ),
    (
        "companions of nothing",
        {"001_a.down.sql": "SELECT 1;", "002_b.verify.sql": "SELECT true;"},
        [
            "W032 001_a.down.sql: Belongs to 001_a.sql, which does not exist. | Rename or remove it; it is never run.",
            "W032 002_b.verify.sql: Belongs to 002_b.sql, which does not exist. | "
            "Rename or remove it; it is never run.",
        ],
    ),
    (
        "one number twice",
        {"001_a.sql": "SELECT 1;", "001_b.sql": "SELECT 1;"},
        ["W033 001_b.sql: Several files have number 1: 001_a.sql, 001_b.sql. | Renumber one of them."],
    ),
    (
        "numbers of different width",
        {"9_a.sql": "SELECT 1;", "10_b.sql": "SELECT 1;"},
        [
            "W034 9_a.sql: Numbers of different width sort wrongly by name: 10_b.sql, 9_a.sql. | "
            'Pad them with zeros, or set SQLMIGRATIONS_ORDER = "number".'
        ],
    ),
]


@pytest.mark.parametrize(("files", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_problems(folder: Path, files: dict[str, str | bytes], expected: list[str]) -> None:
    put(folder, files)
    assert check() == expected


def test_all_problems_at_once(folder: Path) -> None:
    for _, files, _ in CASES[:2]:
        put(folder, files)
    put(folder, {"003_c.down.sql": "SELECT 1;", "4_d.sql": "SELECT 1;"})
    assert [text.partition(" ")[0] for text in check()] == ["E024", "E024", "W032", "W034"]


def test_folders(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings.SQLMIGRATIONS_DIRS = [tmp_path / "nowhere", tmp_path / "file"]
    assert check() == [
        f"E021 {tmp_path}/file: The folder is not a folder. | Make it, or correct SQLMIGRATIONS_DIRS.",
        f"E021 {tmp_path}/nowhere: The folder does not exist. | Make it, or correct SQLMIGRATIONS_DIRS.",
    ]


def test_a_folder_that_is_named_twice(settings: Settings, folder: Path) -> None:
    settings.SQLMIGRATIONS_DIRS = [folder, folder]
    assert check() == [f"E021 {folder}: The folder is named twice. | Name it once."]


def test_a_folder_that_looks_like_an_apps(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, {"app/migrations_sql/001_a.sql": "SELECT 1;"})
    monkeypatch.setattr(apps.get_app_config("auth"), "path", str(tmp_path / "app"))
    put(folder, {"auth/002_b.sql": "SELECT 1;"})
    assert check() == [
        "E021 auth/: The name is both a folder in SQLMIGRATIONS_DIRS and an app with a migrations_sql folder. | "
        "Rename the folder: names of the app's files begin with its label."
    ]


def test_a_folder_that_cannot_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read anything, so the refusal is made."""
    put(folder, {"closed/001_a.sql": "SELECT 1;", "002_b.sql": "SELECT 1;"})
    scandir = os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr("sqlmigrations.files.discovery.os.scandir", refuse)
    assert check() == [
        f"E021 {folder}/closed: The folder can't be read: Permission denied. | Look at its owner and its rights."
    ]


def test_a_broken_link(folder: Path) -> None:
    (folder / "001_a.sql").symlink_to("nowhere.sql")
    assert check() == ["E022 001_a.sql: Is not a file that can be read. | Remove it, or mend the link."]


def test_a_name_of_two_files(settings: Settings, tmp_path: Path) -> None:
    for name in ("one", "two"):
        put(tmp_path, {f"{name}/001_a.sql": "SELECT 1;"})
    settings.SQLMIGRATIONS_DIRS = [tmp_path / "one", tmp_path / "two"]
    assert check() == [
        f"E023 001_a.sql: Two files have this name: {tmp_path}/one/001_a.sql and {tmp_path}/two/001_a.sql. | "
        "Rename one of them."
    ]


def test_what_databases_share_is_told_once(settings: Settings, folder: Path) -> None:
    put(folder, {"001_a.down.sql": "SELECT 1;"})
    settings.SQLMIGRATIONS_DIRS = {"default": [folder], "other": [folder]}
    assert check() == [
        "W032 001_a.down.sql: Belongs to 001_a.sql, which does not exist. | Rename or remove it; it is never run."
    ]


def test_an_apps_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, {"migrations_sql/001_a.down.sql": "SELECT 1;"})
    monkeypatch.setattr(apps.get_app_config("auth"), "path", str(tmp_path))
    assert check() == [
        "W032 auth/001_a.down.sql: Belongs to auth/001_a.sql, which does not exist. | "
        "Rename or remove it; it is never run."
    ]


def test_no_database_is_asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even for a Django migration that a file requires."""
    put(folder, {"001_a.sql": "-- sqlmigrations: requires django:auth.0001_initial\nSELECT 1;"})
    for alias in connections:
        monkeypatch.setattr(connections[alias], "connect", None)
        monkeypatch.setattr(connections[alias], "ensure_connection", None)
    assert check() == []
