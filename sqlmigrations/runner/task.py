"""One script to run, whose record it belongs to, and in which direction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, LiteralString

from sqlmigrations.files.kinds import Kind
from sqlmigrations.files.reading import Reading
from sqlmigrations.files.scripts import Script, SQLFile
from sqlmigrations.models import EventType, State

Columns = dict[LiteralString, Any]


class Direction(StrEnum):
    """Whether a script makes what its file is about, or undoes it."""

    FORWARDS = "forwards"
    BACKWARDS = "backwards"


@dataclass(frozen=True)
class Task:
    """A script to run for the record ``name``.

    ``kept`` are columns of the record that are known before it runs, ``details`` what the event of its success tells.
    """

    name: str
    kind: Kind
    script: Script
    direction: Direction = Direction.FORWARDS
    verify: Script | None = None
    kept: Mapping[LiteralString, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def done(self) -> EventType:
        """The type of the event of a success."""
        return EventType.APPLIED if self.direction is Direction.FORWARDS else EventType.REVERTED

    @property
    def failed(self) -> EventType:
        """The type of the event of a failure that left nothing behind."""
        return EventType.FAILED if self.direction is Direction.FORWARDS else EventType.REVERT_FAILED

    def done_columns(self, reading: Reading, executed_at: Any) -> Columns:
        """Return the record's columns after a success: what the database holds from now on."""
        error: Columns = {"error_message": "", "error_sqlstate": "", "error_line": None, "progress": None}
        if self.direction is Direction.BACKWARDS:
            return {**error, "state": str(State.REVERTED), "success": None, "executed_at": None, "statements_done": 0}
        return {
            **error,
            **self.kept,
            "state": str(State.APPLIED),
            "success": True,
            "executed_at": executed_at,
            **text_columns(reading),
            "statements_done": reading.count,
            "statements_total": reading.count,
        }


def forwards(file: SQLFile) -> Task:
    """Return the task of applying ``file``; its companions are read here, before any lock is held."""
    return Task(file.name, file.kind, file, verify=file.verify, kept=companions(file))


def backwards(name: str, kind: Kind, script: Script, reverted_with: Sequence[str] = ()) -> Task:
    """Return the task of undoing the file ``name`` with its down script.

    ``reverted_with`` names the files that it has to go with, since it builds on them.
    """
    details = {"reverted_with": list(reverted_with)} if reverted_with else {}
    return Task(name, kind, script, Direction.BACKWARDS, details=details)


def companions(file: SQLFile) -> Columns:
    """Return the columns of a file's record that don't come from its statements."""
    return {
        "down_sql": text_of(file.down),
        "verify_sql": text_of(file.verify),
        "tags": list(file.directives.tags),
    }


def text_columns(reading: Reading) -> Columns:
    """Return the columns of a file's record that come from its statements, once all of them were read."""
    made = [{"kind": made.kind, "name": made.name, "line": made.line} for made in reading.made]
    return {"checksum": reading.checksum, "applied_sql": reading.stored, "objects_made": made}


def read_whole(script: Script, *, objects: bool = False) -> Reading:
    """Read a script to its end, for its checksum and the text to keep, and perhaps the objects that it makes."""
    reading = script.read(objects=objects)
    for _statement in reading:
        pass
    return reading


def text_of(script: Script | None) -> str | None:
    """Return a companion script's text as it is kept with the record."""
    return read_whole(script).stored if script else None
