"""Finds the text that a file has today, as it would be kept: passwords masked, data of large files left out."""

from __future__ import annotations

from django.db import DEFAULT_DB_ALIAS

from sqlmigrations.exceptions import InvalidFile
from sqlmigrations.files.discovery import folders
from sqlmigrations.files.scripts import SMALL, Script
from sqlmigrations.runner.task import read_whole


def text_on_disk(name: str, *, database: str = DEFAULT_DB_ALIAS) -> str | None:
    """Return the present text of a file by its name; nothing where it is gone, too large, or can't be read."""
    for folder in folders(database):
        prefix = f"{folder.label}/" if folder.label else ""
        path = (folder.path / name.removeprefix(prefix)).resolve()
        if not name.startswith(prefix) or not path.is_relative_to(folder.path.resolve()) or not path.is_file():
            continue
        script = Script(name, path)
        try:
            return None if script.size > SMALL else read_whole(script).stored
        except InvalidFile:
            return None
    return None
