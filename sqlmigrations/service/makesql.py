"""Makes the next SQL file of a folder and its down script. What is there is never overwritten."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS

from sqlmigrations.conf import settings
from sqlmigrations.exceptions import ConfigurationError
from sqlmigrations.files.discovery import APP_FOLDER, DOWN, SUFFIX, Folder, discover, folders
from sqlmigrations.files.kinds import Kind
from sqlmigrations.files.scripts import SQLFile
from sqlmigrations.messages import counted
from sqlmigrations.service.databases import option

#: How many digits the first number of a folder has.
WIDTH = 3

#: Folders whose files have no number.
_UNNUMBERED = ("repeatable", "seed")


@dataclass(frozen=True, slots=True)
class Texts:
    """What goes into the files; without ``down``, there is no down script.

    ``left_out`` names what could not be written as SQL, ``slug`` is the file's name where a person gives none.
    """

    up: str = "-- What the file changes. It runs in one transaction.\n"
    down: str | None = "-- What undoes it, newest first.\n"
    left_out: tuple[str, ...] = ()
    slug: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """The files that were made; a repeatable or a seed has no down script."""

    name: str
    path: Path
    down: Path | None
    left_out: tuple[str, ...] = ()


def make_files(name: str, *, database: str = DEFAULT_DB_ALIAS, app: str = "", texts: Texts | None = None) -> Made:
    """Make the next numbered file of the project's folder, or of an app's, and its down script.

    Without ``name``, it is that of ``texts``. It may begin with ``repeatable/`` or ``seed/``: such files have no number
    and no down script.

    Raises:
        ConfigurationError: the name can't be one, there is no folder for it, its numbers are used up, or it is there.
    """
    texts = texts or Texts()
    name = name or texts.slug
    folder = _folder(database, app)
    kind, _, stem = name.removesuffix(SUFFIX).rpartition("/")
    if kind not in ("", *_UNNUMBERED):
        raise ConfigurationError(
            f"There is no folder {kind}/ for SQL files.", hint="Name a file, or one in repeatable/ or seed/."
        )
    stem = _slug(stem)
    down = None
    if kind:
        path = folder.path / kind / f"{stem}{SUFFIX}"
    else:
        stem = f"{next_number(discover([folder]).files if folder.path.exists() else ())}_{stem}"
        path = folder.path / f"{stem}{SUFFIX}"
        down = folder.path / f"{stem}{DOWN}" if texts.down is not None else None
    _write({path: texts.up, **({down: texts.down} if down and texts.down is not None else {})})
    prefix = f"{folder.label}/" if folder.label else ""
    return Made(prefix + path.relative_to(folder.path).as_posix(), path, down, texts.left_out)


def _folder(database: str, app: str) -> Folder:
    """Return the folder that a new file goes to.

    Raises:
        ConfigurationError: there is none.
    """
    if app:
        try:
            config = apps.get_app_config(app)
        except LookupError as error:
            raise ConfigurationError(
                f"There is no app '{app}'.", hint="Name one of INSTALLED_APPS by its label."
            ) from error
        return Folder(Path(config.path) / APP_FOLDER, config.label)
    own = [folder for folder in folders(database) if not folder.label]
    if not own:
        raise ConfigurationError(
            f"Database '{database}' has no folder of SQL files.",
            hint="Name one in SQLMIGRATIONS_DIRS, or an app: manage.py makesql NAME --app LABEL",
        )
    return own[0]


def _slug(name: str) -> str:
    """Return a name as files have it: ``Add an index`` becomes ``add_an_index``.

    Raises:
        ConfigurationError: nothing is left of it.
    """
    slug = re.sub(r"[^\w-]+", "_", name.strip().lower()).strip("_")
    if not slug:
        raise ConfigurationError(f"'{name}' is no name for a file.", hint="Say what it changes: add_customers_index")
    return slug


def next_number(files: Iterable[SQLFile]) -> str:
    """Return the number behind the highest one of a folder's versioned files, as wide as they are.

    Raises:
        ConfigurationError: it would be wider, and files are sorted by name.
    """
    numbers = [file.number for file in files if file.kind is Kind.VERSIONED and file.number]
    width = max(map(len, numbers), default=WIDTH)
    following = str(max(map(int, numbers), default=0) + 1)
    if len(following) > width and settings.ORDER == "name":
        raise ConfigurationError(
            f"The numbers of {counted(width, 'digit')} are used up: {following} would sort before {max(numbers)}.",
            hint='Set SQLMIGRATIONS_ORDER = "number".',
        )
    return following.zfill(width)


def _write(texts: dict[Path, str]) -> None:
    """Write all files or none.

    Raises:
        ConfigurationError: one of them is there, or can't be written.
    """
    written: list[Path] = []
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                written.append(path)
                file.write(text)
    except FileExistsError as error:
        _remove(written)
        raise ConfigurationError(f"{error.filename} is there already.", hint="Choose another name.") from error
    except OSError as error:
        _remove(written)
        raise ConfigurationError(f"{error.filename} can't be written: {error.strerror}.") from error


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def next_step(made: Made, database: str, *, from_drift: bool = False, from_migration: bool = False) -> str:
    """Return, in words, what a person does with new files."""
    alias = option(database)
    if from_migration:
        return (
            "Read it. To let the migration run it, give the migration's operations to it as state_operations:\n"
            f"  operations = [ApplySQL({made.path.name!r}, state_operations=[...])]\n"
            f"Where the migration is applied already, record the file without running it:\n"
            f"  manage.py applysql{alias} --fake {made.name}"
        )
    if from_drift:
        return (
            "Read it. This database has the change already, so record the file here without running it, and accept the "
            f"schema:\n  manage.py applysql{alias} --fake {made.name}\n"
            f"  manage.py validateschema{alias} --accept --reason TEXT"
        )
    return f"Fill it, then: manage.py applysql{alias}"
