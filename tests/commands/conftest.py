"""Fixtures of the commands' tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections
from psycopg import sql

from tests.helpers import Settings, session


@pytest.fixture
def both(fresh_database: str, tmp_path: Path, settings: Settings) -> Iterator[tuple[Path, Path]]:
    """Make a database for the alias ``other`` too; return a folder of files for each alias."""
    wrapper = connections["other"]
    name, kept = f"{fresh_database}_other", wrapper.settings_dict["NAME"]
    with session() as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    wrapper.close()
    wrapper.settings_dict["NAME"] = name
    folders = tmp_path / "default", tmp_path / "other"
    for folder in folders:
        folder.mkdir()
    settings.SQLMIGRATIONS_DIRS = {alias: [folder] for alias, folder in zip(("default", "other"), folders, strict=True)}
    try:
        yield folders
    finally:
        wrapper.close()
        wrapper.settings_dict["NAME"] = kept
        with session() as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
