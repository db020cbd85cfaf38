"""Fixtures of the commands' tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import leading_to, new_database
from tests.helpers import Settings, applysql, put


@pytest.fixture
def both(fresh_database: str, tmp_path: Path, settings: Settings) -> Iterator[tuple[Path, Path]]:
    """Make a database for the alias ``other`` too; return a folder of files for each alias."""
    folders = tmp_path / "default", tmp_path / "other"
    for folder in folders:
        folder.mkdir()
    settings.SQLMIGRATIONS_DIRS = {alias: [folder] for alias, folder in zip(("default", "other"), folders, strict=True)}
    with new_database(f"{fresh_database}_other") as name, leading_to(name, "other"):
        yield folders


@pytest.fixture
def half_way(ready_database: str, folder: Path) -> Path:
    """A folder of which some files are applied, one failed, one changed, one missing, one late."""
    put(
        folder,
        {
            "000_gone.sql": "CREATE TABLE gone (id int)",
            "001_users.sql": "CREATE TABLE users (id int)",
            "003_tags.sql": "CREATE TABLE tags (id int)",
            "004_broken.sql": "CREATE TABLE broken (id intt)",
            "repeatable/v.sql": "CREATE OR REPLACE VIEW v AS SELECT 1 AS one",
            "seed/data.sql": "INSERT INTO tags VALUES (1)",
        },
    )
    assert applysql().code == 1
    (folder / "000_gone.sql").unlink()
    put(
        folder,
        {
            "001_users.sql": "CREATE TABLE users (id bigint)",
            "002_late.sql": "ALTER TABLE tags ADD name text",
            "003_tags.sql": "CREATE TABLE tags (id int) -- now with a comment",
            "005_new.sql": "CREATE TABLE new (id int)",
            "repeatable/v.sql": "CREATE OR REPLACE VIEW v AS SELECT 1 AS one, 2 AS two",
        },
    )
    return folder
