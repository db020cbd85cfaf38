"""Settles what files and history disagree about: accepts changed texts, recognises renames, retires missing files."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from django.db import DEFAULT_DB_ALIAS

from sqlmigrations.database import connected, raw
from sqlmigrations.files.checksum import Change
from sqlmigrations.files.scripts import SMALL, SQLFile
from sqlmigrations.history import Event, Record, Texts, read_all_texts
from sqlmigrations.models import EventType, State
from sqlmigrations.runner.journal import Journal
from sqlmigrations.runner.task import companions, read_whole, text_columns
from sqlmigrations.service.gather import OnDisk, Remembered, read_disk, recall
from sqlmigrations.service.run import open_run
from sqlmigrations.service.told import LOCK_WAIT, Tell


class RepairKind(StrEnum):
    """How files and history come together again."""

    ACCEPT = "accept"
    RENAME = "rename"
    RETIRE = "retire"


@dataclass(frozen=True, slots=True)
class Repair:
    """One disagreement and how it would be settled; ``diff`` shows what a person would accept."""

    kind: RepairKind
    name: str
    record: Record
    file: SQLFile | None = None
    diff: str = ""
    cosmetic: bool = False

    @property
    def new_name(self) -> str:
        """The file's present name."""
        return self.file.name if self.file else self.name

    @property
    def is_same_text(self) -> bool:
        """Whether the file on disk has the text that was applied."""
        return self.file is not None and self.file.checksum == self.record.checksum


@dataclass(frozen=True, slots=True)
class RepairPlan:
    """All that would be settled."""

    database: str
    repairs: tuple[Repair, ...]


def plan_repair(database: str = DEFAULT_DB_ALIAS) -> RepairPlan:
    """Return what files and history disagree about. Nothing is locked, made or changed.

    Raises:
        InvalidFiles: files can't be read.
        DatabaseUnavailable: the database can't be asked.
    """
    with connected(database) as wrapper:
        disk = read_disk(database)
        remembered = recall(wrapper, disk)
        tables = remembered.location.tables
        if tables is None:
            return RepairPlan(database, ())
        return RepairPlan(database, tuple(_repairs(disk, remembered, read_all_texts(raw(wrapper), tables))))


def _repairs(disk: OnDisk, remembered: Remembered, texts: dict[str, Texts]) -> Iterator[Repair]:
    for name, change in sorted(remembered.changes.items()):
        record, file = remembered.records[name], disk.by_name[name]
        if record.is_held and record.state != State.FAILED and file.kind == "versioned":
            diff = _diff(texts[name].applied, file)
            yield Repair(RepairKind.ACCEPT, name, record, file, diff, cosmetic=change is Change.COSMETIC)
    renamed_to = {old: new for new, old in remembered.renames.items()}
    for name, record in sorted(remembered.records.items()):
        if name in disk.by_name or not record.is_held or record.state == State.RETIRED:
            continue
        if name in renamed_to:
            yield Repair(RepairKind.RENAME, name, record, disk.by_name[renamed_to[name]])
        else:
            yield Repair(RepairKind.RETIRE, name, record)


def _diff(applied: str | None, file: SQLFile) -> str:
    if applied is None or file.size > SMALL:
        return "(the text that was applied is not kept whole)"
    before = applied.replace("\r\n", "\n").splitlines()
    after = read_whole(file).stored.replace("\r\n", "\n").splitlines()
    return "\n".join(difflib.unified_diff(before, after, f"{file.name} as applied", "on disk", lineterm=""))


def repair(plan: RepairPlan, *, reason: str, tell: Tell, lock_wait: float = LOCK_WAIT) -> str:
    """Settle all of ``plan`` and return the head of the history.

    Raises:
        RunLockHeld: another run went on for longer than ``lock_wait``.
        DatabaseUnavailable: the database can't be reached.
    """
    with connected(plan.database) as wrapper, open_run(wrapper, lock_wait=lock_wait, tell=tell) as run:
        for one in plan.repairs:
            _settle(run.journal, one, reason)
        return run.head


def _settle(journal: Journal, one: Repair, reason: str) -> None:
    details = {"reason": reason}
    match one.kind:
        case RepairKind.ACCEPT if one.file is not None:
            reading = read_whole(one.file, objects=True)
            columns = {**text_columns(reading), **companions(one.file)}
            event = Event(EventType.ACCEPTED, one.name, checksum=reading.checksum, details=details)
        case RepairKind.RENAME:
            columns = {"filename": one.new_name}
            event = Event(
                EventType.RENAMED, one.new_name, checksum=one.record.checksum, details={**details, "from": one.name}
            )
        case _:
            columns = {"state": str(State.RETIRED), "success": None, "error_message": ""}
            event = Event(EventType.RETIRED, one.name, checksum=one.record.checksum, details=details)
    change = journal.changing(one.name, columns)
    if one.kind is RepairKind.RENAME:  # a failed attempt under the new name makes way for what the database holds
        journal.append(event, journal.each(journal.removing(one.new_name), change))
    else:
        journal.append(event, change)
