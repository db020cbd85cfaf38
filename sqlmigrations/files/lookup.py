"""Finds the file that a person means by what was typed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmigrations.exceptions import UnknownFile
from sqlmigrations.files.discovery import SUFFIX
from sqlmigrations.files.kinds import Kind
from sqlmigrations.files.scripts import SQLFile


def resolve(name: str, files: Sequence[SQLFile], *, kind: Kind | None = None) -> SQLFile:
    """Return the file that a person means: by its name, without ``.sql``, or by a beginning that only one has.

    Raises:
        UnknownFile: none has it, or several begin with it.
    """
    candidates = [file for file in files if kind is None or file.kind is kind]
    for same in (_is_named, _has_base_name):
        exact = [file for file in candidates if same(file, name)]
        if len(exact) == 1:
            return exact[0]
    starting = [file for file in candidates if name and _begins(file, name)]
    if len(starting) == 1:
        return starting[0]
    if starting:
        raise UnknownFile(f"Several files begin with '{name}': {', '.join(file.name for file in starting)}.")
    what = f"No {kind} file" if kind else "No SQL file"
    raise UnknownFile(f"{what} is called '{name}'.", hint="See the names with: applysql --list")


def _is_named(file: SQLFile, name: str) -> bool:
    return name in (file.name, file.name.removesuffix(SUFFIX))


def _has_base_name(file: SQLFile, name: str) -> bool:
    base = file.name.rpartition("/")[2]
    return name in (base, base.removesuffix(SUFFIX))


def _begins(file: SQLFile, name: str) -> bool:
    return file.name.startswith(name) or file.name.rpartition("/")[2].startswith(name)
