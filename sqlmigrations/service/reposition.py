"""Says where a file that stopped half-way goes on, when the catalog and the history can't tell."""

from __future__ import annotations

from dataclasses import replace

from django.db import DEFAULT_DB_ALIAS

from sqlmigrations.database import connected
from sqlmigrations.exceptions import ConfigurationError
from sqlmigrations.files.lookup import resolve
from sqlmigrations.files.scripts import Script, SQLFile
from sqlmigrations.history import Event, Record
from sqlmigrations.models import EventType, State
from sqlmigrations.runner.batch_position import Position
from sqlmigrations.runner.batches import hash_of
from sqlmigrations.runner.progress import Progress, prefix_of
from sqlmigrations.runner.task import Columns, Direction
from sqlmigrations.service.gather import read_disk, recall
from sqlmigrations.service.revert import kept_down
from sqlmigrations.service.run import open_run
from sqlmigrations.service.told import LOCK_WAIT, Tell

#: States in which a person may say where to go on.
_STOPPED = (State.PARTIAL, State.IN_DOUBT)


def reposition(
    name: str,
    *,
    resume_at: int | None,
    reason: str,
    database: str = DEFAULT_DB_ALIAS,
    tell: Tell,
    lock_wait: float = LOCK_WAIT,
) -> SQLFile:
    """Note that the next run goes on with statement ``resume_at`` of a file, or begins it again when that is ``None``.

    Raises:
        UnknownFile: no file is called so.
        ConfigurationError: the file did not stop half-way, or has no such statement.
        RunLockHeld: another run went on for longer than ``lock_wait``.
    """
    disk = read_disk(database)
    file = resolve(name, disk.files)
    with connected(database) as wrapper, open_run(wrapper, lock_wait=lock_wait, tell=tell) as run:
        record = recall(wrapper, disk).records.get(file.name)
        if record is None or record.state not in _STOPPED:
            state = record.state.label if record else "pending"
            raise ConfigurationError(f"{file.name} did not stop half-way: it is {state}.")
        direction = Direction((record.progress or {}).get("direction", Direction.FORWARDS))
        script = file if direction is Direction.FORWARDS else kept_down(run.connection, run.tables, file)
        details = {"reason": reason, "stopped_after": record.statements_done, "direction": str(direction)}
        details |= {"restart": True} if resume_at is None else {"resume_at": resume_at}
        event = Event(EventType.RESUMED, file.name, details=details)
        run.journal.append(event, run.journal.changing(file.name, _columns(script, record, direction, resume_at)))
    return file


def _columns(script: Script, record: Record, direction: Direction, resume_at: int | None) -> Columns:
    if resume_at is None and direction is Direction.FORWARDS:
        return {"state": str(State.FAILED), "progress": None, "statements_done": 0}
    done = 0 if resume_at is None else resume_at - 1
    prefix = prefix_of(script, done) if done >= 0 else None
    if prefix is None:
        raise ConfigurationError(f"{script.name} has no statement {resume_at} to go on with.")
    batches = _batches(script, record) if done == record.statements_done else None
    progress = Progress(done, prefix, direction=direction, batches=batches)
    return {"state": str(State.PARTIAL), **progress.columns()}


def _batches(script: Script, record: Record) -> Position | None:
    """Return the place within a statement that runs in batches: as it reads now, it goes on behind the last one."""
    kept = (record.progress or {}).get("batches")
    if kept is None:
        return None
    statement = next(iter(script.read()))
    return replace(Position.read(kept), statement=hash_of(statement))
