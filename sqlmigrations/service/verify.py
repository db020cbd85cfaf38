"""Runs the verify scripts of the files that a database holds, once more and read-only."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

from sqlmigrations.database import Connection, raw
from sqlmigrations.exceptions import InvalidFile
from sqlmigrations.files.kinds import Kind
from sqlmigrations.files.scripts import Script, SQLFile
from sqlmigrations.history import Record
from sqlmigrations.history.places import read_places
from sqlmigrations.messages import gettext as _
from sqlmigrations.runner.verify import VerifyFailed, verify
from sqlmigrations.schema.difference import Difference, Findings, Source
from sqlmigrations.service.gather import Footprints, OnDisk, Remembered
from sqlmigrations.severity import Severity


def run_verify_scripts(wrapper: BaseDatabaseWrapper, disk: OnDisk, remembered: Remembered) -> Findings:
    """Run each held file's verify script, those aside of files that one that was applied later overlaps with.

    What such a script asks for may rightly not be so any more; they are counted. Nothing is written: each
    script runs in a read-only transaction that is rolled back.
    """
    held = _held(raw(wrapper), disk, remembered)
    footprints = Footprints()
    differences = []
    overtaken = 0
    for index, file in enumerate(held):
        if file.verify is None:
            continue
        if any(footprints.overlap(file, later) for later in held[index + 1 :]):
            overtaken += 1
        elif difference := _verify(wrapper, file.name, file.verify):
            differences.append(difference)
    scripts = len([file for file in held if file.verify])
    return Findings(
        tuple(differences),
        {"verify script": scripts - overtaken},
        {"overtaken verify script": overtaken} if overtaken else {},
    )


def _held(connection: Connection, disk: OnDisk, remembered: Remembered) -> Sequence[SQLFile]:
    """Return the files that the database holds as they stand on disk, in the order in which they were applied."""
    records = remembered.records
    held = [records[file.name] for file in disk.files if _is_as_held(file, records.get(file.name))]
    ordered = read_places(connection, remembered.location.tables).sort(held) if held else held
    return [disk.by_name[record.filename] for record in ordered]


def _is_as_held(file: SQLFile, record: Record | None) -> bool:
    return record is not None and record.is_held and file.kind is not Kind.SEED and record.checksum == file.checksum


def _verify(wrapper: BaseDatabaseWrapper, name: str, script: Script) -> Difference | None:
    """Return what the verify script of the file ``name`` finds, or nothing."""
    try:
        verify(raw(wrapper), script)
    except VerifyFailed as failed:
        said = f"{failed.problem}." if failed.problem else failed.failure.message
        found = f"{failed.failure.where}: {said}"
    except InvalidFile as error:
        found = str(error)
    else:
        return None
    return Difference(
        Source.VERIFY, "file", name, "verify script", "true", found, Severity.ERROR,
        _("look at what the script asks for: somebody has changed it since the file was applied"),
    )  # fmt: skip
