"""Brings together what stands on disk and what the database remembers of it. Reads only.

Most runs find nothing to do: what only files that run are read with is imported when there are some.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from django.db.backends.base.base import BaseDatabaseWrapper

from sqlmigrations.database import Connection, raw
from sqlmigrations.exceptions import InvalidFile, InvalidFiles, Problem
from sqlmigrations.files.checksum import Change, checksum_of
from sqlmigrations.files.discovery import Found, discover, folders
from sqlmigrations.files.graph import arrange, required_migrations
from sqlmigrations.files.kinds import Kind
from sqlmigrations.files.scripts import SMALL, SQLFile
from sqlmigrations.garbage import without_collections
from sqlmigrations.history import (
    Location,
    Record,
    Tables,
    locate,
    read_missing,
    read_records,
    read_records_of,
    read_reverted_with,
    read_texts,
)
from sqlmigrations.messages import gettext as _
from sqlmigrations.models import State
from sqlmigrations.plan import Plan, Selection, Step, make_plan
from sqlmigrations.service.databases import applied_migrations, django_migrations

if TYPE_CHECKING:
    from sqlmigrations.files.footprint import Footprint
    from sqlmigrations.files.statements import Statement


@dataclass(frozen=True)
class OnDisk:
    """The SQL files of one database, in the order of a run."""

    files: tuple[SQLFile, ...]
    warnings: tuple[Problem, ...]
    mixed_width: Problem | None
    #: Whether any file requires a Django migration.
    requires_django: bool

    @cached_property
    def by_name(self) -> dict[str, SQLFile]:
        """The files by name."""
        return {file.name: file for file in self.files}


@without_collections()
def read_disk(alias: str) -> OnDisk:
    """Find the SQL files of one database.

    Raises:
        InvalidFiles: a folder, a name, a directive or a requirement can't be used.
    """
    found = discover(folders(alias))
    if found.errors:
        raise InvalidFiles([*found.errors, *_in_same_files(found)])
    requires_django = any(required_migrations(file) for file in found.files)
    on_disk = django_migrations() if requires_django else frozenset()
    files = arrange(found.files, django_migrations=lambda label, name: (label, name) in on_disk)
    return OnDisk(files, found.warnings, found.mixed_width, requires_django)


def _in_same_files(found: Found) -> list[Problem]:
    """Return what else is wrong with the files and companions that have errors: a person mends them in one go."""
    wrong = {problem.file for problem in found.errors}
    scripts = (script for file in found.files for script in (file, file.verify, file.down) if script)
    from sqlmigrations.files.reading import examine

    problems = (problem for script in scripts if script.name in wrong for problem in examine(script))
    return [problem for problem in problems if problem not in found.errors]


def judge(steps: Iterable[Step], known: Collection[str] = (), *, before_run: bool = False) -> set[str]:
    """Read the files that would run whole, with their companions, before anything runs.

    Those in ``known`` are not read again. What is returned are the names of the files that may drop an index. If they
    are judged ``before_run``, short files need not be read again to be run, unless they are touched meanwhile.

    Raises:
        InvalidFiles: with every problem of every file.
    """
    from sqlmigrations.files.held import Room
    from sqlmigrations.files.reading import examine

    room = Room() if before_run else None
    problems: list[Problem] = []
    dropping: set[str] = set()
    for step in steps:
        if step.name in known:
            continue
        problems += examine(step.file, partial(_note_dropped_index, dropping, step.name), room)
        for companion in (step.file.verify, step.file.down):
            problems += examine(companion, room=room) if companion else []
    if problems:
        raise InvalidFiles(problems)
    return dropping


def _note_dropped_index(dropping: set[str], name: str, statement: Statement) -> None:
    from sqlmigrations.files.statements import may_drop_index

    if may_drop_index(statement):
        dropping.add(name)


@dataclass(frozen=True)
class Remembered:
    """What the database remembers of the files.

    ``reverted_with`` names, for each repeatable that went only since it builds on others, these others.
    """

    location: Location
    records: Mapping[str, Record]
    changes: Mapping[str, Change]
    renames: Mapping[str, str]
    django_applied: Collection[tuple[str, str]]
    reverted_with: Mapping[str, Sequence[str]]


@without_collections()
def recall(
    wrapper: BaseDatabaseWrapper, disk: OnDisk, *, of_disk: bool = False, location: Location | None = None
) -> Remembered:
    """Read the history and compare it with the files; missing tables are an empty history.

    ``location`` is where it is, for those who know already. With ``of_disk``, only records of files on disk are read,
    and of missing ones that have the text of such a file: enough to plan a run, and not to name all missing files.
    """
    connection = raw(wrapper)
    location = location or locate(connection)
    records = (
        _records_of_disk(connection, location.tables, disk) if of_disk else read_records(connection, location.tables)
    )
    differing = [
        name
        for name, record in records.items()
        if name in disk.by_name and record.checksum and disk.by_name[name].checksum != record.checksum
    ]
    texts = read_texts(connection, location.tables, differing) if differing and location.tables else {}
    changes = {name: _change(texts.get(name), disk.by_name[name]) for name in differing}
    gone = [name for name, record in records.items() if _is_reverted_repeatable(record)]
    reverted_with = read_reverted_with(connection, location.tables, gone) if gone and location.tables else {}
    applied = applied_migrations(wrapper) if disk.requires_django else frozenset()
    renames = find_renames(disk.files, records)
    if not of_disk and location.tables:
        renames |= _reworded(connection, location.tables, disk.files, records, renames)
    return Remembered(location, records, changes, renames, applied, reverted_with)


def _records_of_disk(connection: Connection, tables: Tables | None, disk: OnDisk) -> dict[str, Record]:
    """Read the records of files on disk, and of missing ones that have the text of such a file.

    To tell a long file's checksum takes reading it once more: only if files are missing, a new one is asked for it.
    """
    short = [file.checksum for file in disk.files if not file.is_long]
    records = read_records_of(connection, tables, disk.by_name, short)
    new = [file for file in _new(disk.files, records) if file.is_long]
    if new and read_missing(connection, tables, disk.by_name, first=1)[0]:
        records |= read_records_of(connection, tables, (), [file.checksum for file in new])
    return records


def _is_reverted_repeatable(record: Record) -> bool:
    return record.kind is Kind.REPEATABLE and record.state is State.REVERTED


def find_renames(files: Sequence[SQLFile], records: Mapping[str, Record]) -> dict[str, str]:
    """Return, for each file that was never applied, the missing file that has the same text."""
    missing = {records[name].checksum: name for name in _missing(files, records)}
    if not missing:
        return {}
    return {file.name: missing[file.checksum] for file in _new(files, records) if file.checksum in missing}


def _reworded(
    connection: Connection,
    tables: Tables,
    files: Sequence[SQLFile],
    records: Mapping[str, Record],
    renames: Mapping[str, str],
) -> dict[str, str]:
    """Return further renames: of files whose comments and layout were changed, too."""
    known = set(renames.values())
    missing = [name for name in _missing(files, records) if name not in known]
    new = [file for file in _new(files, records) if file.name not in renames and file.size <= SMALL] if missing else []
    return _same_meaning(new, read_texts(connection, tables, missing)) if new else {}


def _same_meaning(new: Iterable[SQLFile], texts: Mapping[str, str]) -> dict[str, str]:
    """Return, for each new file, the missing one whose text means the same; each text is looked at once."""
    from sqlmigrations.files.comparison import meaning

    alike: dict[str, list[str]] = {}
    for name, text in sorted(texts.items()):
        if means := meaning(text):
            alike.setdefault(means, []).append(name)
    found: dict[str, str] = {}
    for file in new:
        candidates = alike.get(meaning(_text(file)) or "", [])
        for name in candidates:
            if checksum_of(texts[name].encode()) != file.checksum:  # else it is kept masked or cut: it can't tell
                candidates.remove(name)
                found[file.name] = name
                break
    return found


def _missing(files: Sequence[SQLFile], records: Mapping[str, Record]) -> list[str]:
    """Return the files that the database holds and that are not on disk."""
    names = {file.name for file in files}
    return [
        name
        for name, record in sorted(records.items())
        if name not in names and record.is_held and record.checksum and record.state != State.RETIRED
    ]


def _new(files: Sequence[SQLFile], records: Mapping[str, Record]) -> list[SQLFile]:
    """Return the files that were never applied."""
    return [file for file in files if file.name not in records or _never_held(records[file.name])]


def _never_held(record: Record) -> bool:
    return record.state == State.FAILED and record.executed_at is None and record.progress is None


def _change(stored: str | None, file: SQLFile) -> Change:
    """Tell a cosmetic change from a real one, where the text that ran is kept whole."""
    from sqlmigrations.files.comparison import compare

    if stored is None or file.size > SMALL:
        return Change.CHANGED
    change = compare(stored, _text(file))
    return Change.CHANGED if change is Change.NONE else change  # the text kept is masked or cut: it can't tell


def _text(file: SQLFile) -> str:
    return b"".join(file.blocks()).decode(errors="surrogateescape")


@dataclass
class Footprints:
    """The footprints of files, each read when it is first asked for."""

    _known: dict[str, Footprint] = field(default_factory=dict)

    def of(self, file: SQLFile) -> Footprint:
        """Return a file's footprint; one that can't be read is opaque."""
        if file.name not in self._known:
            self._known[file.name] = self._read(file)
        return self._known[file.name]

    def _read(self, file: SQLFile) -> Footprint:
        from sqlmigrations.files.footprint import Footprint, footprint  # few runs have to know what files share

        try:
            if file.size > SMALL:
                return Footprint(opaque=True, reason=_("{name} is too large to be read", name=file.name))
            found = footprint(file.read())
            return replace(found, reason=f"{file.name}: {found.reason}") if found.opaque else found
        except (InvalidFile, OSError) as error:
            return Footprint(opaque=True, reason=str(error).partition("\n")[0])

    def overlap(self, one: SQLFile, other: SQLFile) -> str:
        """Say what two files share, nothing where they are independent."""
        first, second = self.of(one), self.of(other)
        if first.is_empty or second.is_empty:
            return ""
        for opaque in (first, second):
            if opaque.opaque:
                return _("what can't be known beforehand ({reason})", reason=opaque.reason)
        return first.shared(second) or ""


def plan_of(disk: OnDisk, remembered: Remembered, selection: Selection, footprints: Footprints) -> Plan:
    """Return what a run with this selection would do, decided by each file's own record and those around it."""
    return make_plan(
        disk.files,
        remembered.records,
        changes=remembered.changes,
        selection=selection,
        overlap=footprints.overlap,
        renames=remembered.renames,
        reverted_with=remembered.reverted_with,
    )
