"""Find the SQL files on disk."""

from __future__ import annotations

import os
import re
import stat
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, router

from sqlmigrations.conf import settings
from sqlmigrations.exceptions import InvalidFile, Problem, SameNumber
from sqlmigrations.files.kinds import Kind
from sqlmigrations.files.scripts import Script, SQLFile
from sqlmigrations.messages import gettext as _

#: The folder that an app's own SQL files are in.
APP_FOLDER = "migrations_sql"
SUFFIX = ".sql"
DOWN = ".down.sql"
VERIFY = ".verify.sql"
#: What would break the line of whatever prints a name, or hide it: C0, DEL and C1.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_KIND_FOLDERS = {"repeatable": Kind.REPEATABLE, "seed": Kind.SEED}


@dataclass(frozen=True)
class Folder:
    """A folder of SQL files; ``label`` is that of the app it belongs to, empty for the project's own."""

    path: Path
    label: str = ""


@dataclass(frozen=True)
class Found:
    """What stands on disk: the files in the order in which they run, and what is wrong with them."""

    files: tuple[SQLFile, ...] = ()
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    #: Numbers of different width, which sort wrongly by name: an error while nothing is applied.
    mixed_width: Problem | None = None


def folders(alias: str = DEFAULT_DB_ALIAS) -> list[Folder]:
    """Return the folders of one database: those of SQLMIGRATIONS_DIRS, then those of the installed apps."""
    configured = settings.DIRS
    if isinstance(configured, Mapping):
        own = configured.get(alias, ())
    else:
        own = configured if alias == DEFAULT_DB_ALIAS else ()
    found = [Folder(Path(path)) for path in own]
    if settings.APP_DIRS:
        for app in apps.get_app_configs():
            path = Path(app.path) / APP_FOLDER
            if _is_folder(path) and router.allow_migrate(alias, app.label):
                found.append(Folder(path, app.label))
    return found


def _is_folder(path: Path) -> bool:
    """Say whether a folder is there, or something that can't be looked at: reading it then says why."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True


def discover(folders: Iterable[Folder]) -> Found:
    """Read the folders. Nothing is raised: what is wrong is part of the answer."""
    report = _Report()
    files: list[SQLFile] = []
    seen: set[Path] = set()
    for folder in folders:
        if (real := folder.path.resolve()) in seen:
            report.errors.append(Problem(_("the folder is named twice"), str(folder.path), hint=_("Name it once.")))
            continue
        seen.add(real)
        files += _in_folder(folder, report)
    _check_names(files, report)
    numbered = _numbered(files)
    _check_numbers(numbered, report)
    kinds = list(Kind)
    ordered = sorted(files, key=lambda file: kinds.index(file.kind))
    return Found(tuple(ordered), tuple(report.errors), tuple(report.warnings), _mixed_width(numbered))


def in_order(names: Iterable[str]) -> list[str]:
    """Return the names of a folder's files in the order in which they run, as SQLMIGRATIONS_ORDER says."""
    return sorted(names, key=_by_number if settings.ORDER == "number" else None)


def _by_number(name: str) -> tuple[object, ...]:
    parts: list[object] = []
    for part in name.split("/"):
        digits = re.match(r"[0-9]+", part)
        parts += [(0, int(digits.group())) if digits else (1, 0), part]
    return tuple(parts)


@dataclass
class _Report:
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def _in_folder(folder: Folder, report: _Report) -> list[SQLFile]:
    """Return the SQL files of one folder in order."""
    if not _is_folder(folder.path):
        message = _("is not a folder") if folder.path.exists() else _("does not exist")
        report.errors.append(
            Problem(
                _("the folder {message}", message=message),
                str(folder.path),
                hint=_("Make it, or correct SQLMIGRATIONS_DIRS."),
            )
        )
        return []
    places = dict(_scripts(folder, report))
    companions = {name: Script(name, place) for name, place in places.items() if name.endswith((DOWN, VERIFY))}
    files = []
    prefix = f"{folder.label}/" if folder.label else ""
    for name in in_order(places):
        if name in companions:
            _check_companion(companions[name], places, report)
            continue
        stem = name.removesuffix(SUFFIX)
        top, slash, _below = name.removeprefix(prefix).partition("/")
        kind = _KIND_FOLDERS.get(top, Kind.VERSIONED) if slash else Kind.VERSIONED
        down, verify = companions.get(stem + DOWN), companions.get(stem + VERIFY)
        files.append(SQLFile(name, places[name], kind, folder.label, down, verify))
    for file in files:
        _check_directives(file, report)
    return files


def _scripts(folder: Folder, report: _Report) -> Iterator[tuple[str, str]]:
    """Yield the name and place of every ``.sql`` file below a folder, hidden files and editors' leftovers aside."""
    prefix = f"{folder.label}/" if folder.label else ""
    for name, entry in _walk(folder.path, prefix, report, set()):
        if not name.endswith(SUFFIX):
            if name.lower().endswith(SUFFIX):
                report.warnings.append(
                    Problem(_("is ignored: its name does not end in .sql"), name, hint=_("Rename it."))
                )
            continue
        try:
            name.encode()
        except UnicodeEncodeError:
            shown = os.fsencode(entry.path).decode(errors="replace")
            report.errors.append(Problem(_("the file's name is not UTF-8"), shown))
            continue
        if _CONTROL.search(name):
            report.errors.append(
                Problem(
                    _("the file's name holds a line break or another control character"),
                    repr(name),
                    hint=_("Rename it."),
                )
            )
            continue
        if not (entry.is_file(follow_symlinks=False) or os.path.isfile(entry.path)):
            report.errors.append(
                Problem(_("is not a file that can be read"), name, hint=_("Remove it, or mend the link."))
            )
            continue
        yield name, entry.path


def _walk(
    path: Path, prefix: str, report: _Report, above: set[tuple[int, int]]
) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield the files below a folder, each with its name behind ``prefix``; a link back to a folder above is left."""
    try:
        status = path.stat()
        identity = (status.st_dev, status.st_ino)
        if identity in above:
            return
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
    except OSError as error:
        report.errors.append(
            Problem(
                _("the folder can't be read: {error}", error=error.strerror),
                str(path),
                hint=_("Look at its owner and its rights."),
            )
        )
        return
    for entry in entries:
        if entry.name.startswith((".", "#")) or entry.name.endswith("~"):
            continue
        if _leads_to_folder(entry):
            if entry.name != "__pycache__":
                yield from _walk(Path(entry.path), f"{prefix}{entry.name}/", report, above | {identity})
        else:
            yield prefix + entry.name, entry


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    """Say whether an entry is a folder or a link to one; a link that can't be followed is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _check_companion(companion: Script, names: Collection[str], report: _Report) -> None:
    name = companion.name
    suffix = DOWN if name.endswith(DOWN) else VERIFY
    expected = name.removesuffix(suffix) + SUFFIX
    if expected not in names or expected.endswith((DOWN, VERIFY)):
        why = _("is no file of its own") if expected in names else _("does not exist")
        report.warnings.append(
            Problem(
                _("belongs to {expected}, which {why}", expected=expected, why=why),
                name,
                hint=_("Rename or remove it; it is never run."),
            )
        )
    else:
        _check_directives(companion, report)


def _check_directives(script: Script, report: _Report) -> None:
    try:
        script.directives  # noqa: B018  read here once, so that what is wrong is known before anything runs
    except InvalidFile as error:
        report.errors.append(error.problem)


def _check_names(files: Sequence[SQLFile], report: _Report) -> None:
    """Report names that two files have, and folders that look like an app's."""
    labels = {file.folder for file in files if file.folder}
    by_name: defaultdict[str, list[SQLFile]] = defaultdict(list)
    for file in files:
        by_name[file.name].append(file)
    for name, same in by_name.items():
        if len(same) > 1:
            places = " and ".join(str(file.path) for file in same)
            report.errors.append(
                Problem(_("two files have this name: {places}", places=places), name, hint=_("Rename one of them."))
            )
    for label in sorted(
        labels & {file.name.partition("/")[0] for file in files if not file.folder and "/" in file.name}
    ):
        report.errors.append(
            Problem(
                _(
                    "the name is both a folder in SQLMIGRATIONS_DIRS and an app with a {folder} folder",
                    folder=APP_FOLDER,
                ),
                f"{label}/",
                hint=_("Rename the folder: names of the app's files begin with its label."),
            )
        )


class _Numbered(NamedTuple):
    """A versioned file whose name begins with a number, as its digits; numbers count within ``folder``."""

    name: str
    folder: tuple[str, str]
    digits: str


def _numbered(files: Iterable[SQLFile]) -> list[_Numbered]:
    return [
        _Numbered(file.name, (file.folder, file.name.rpartition("/")[0]), digits)
        for file in files
        if file.kind is Kind.VERSIONED and (digits := file.number) is not None
    ]


def _check_numbers(files: Iterable[_Numbered], report: _Report) -> None:
    """Report numbers that two files of one folder have."""
    by_number: defaultdict[tuple[tuple[str, str], int], list[str]] = defaultdict(list)
    for name, folder, digits in files:
        by_number[folder, int(digits)].append(name)
    for (_folder, number), names in by_number.items():
        if len(names) > 1 and len(set(names)) > 1:
            report.warnings.append(
                SameNumber(
                    _("several files have number {number}: {names}", number=number, names=", ".join(names)),
                    names[-1],
                    hint=_("Renumber one of them."),
                    names=tuple(names),
                )
            )


def _mixed_width(files: Iterable[_Numbered]) -> Problem | None:
    if settings.ORDER == "number":
        return None
    first: dict[tuple[str, str], _Numbered] = {}
    for file in files:
        other = first.setdefault(file.folder, file)
        if len(other.digits) != len(file.digits):
            return Problem(
                _("numbers of different width sort wrongly by name: {name}, {file}", name=other.name, file=file.name),
                file.name,
                hint=_('Pad them with zeros, or set SQLMIGRATIONS_ORDER = "number".'),
            )
    return None
