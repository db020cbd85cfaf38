"""Fixtures of the commands' tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import leading_to, new_database
from tests.helpers import Settings


@pytest.fixture
def both(fresh_database: str, tmp_path: Path, settings: Settings) -> Iterator[tuple[Path, Path]]:
    """Make a database for the alias ``other`` too; return a folder of files for each alias."""
    folders = tmp_path / "default", tmp_path / "other"
    for folder in folders:
        folder.mkdir()
    settings.SQLMIGRATIONS_DIRS = {alias: [folder] for alias, folder in zip(("default", "other"), folders, strict=True)}
    with new_database(f"{fresh_database}_other") as name, leading_to(name, "other"):
        yield folders
