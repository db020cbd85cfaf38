"""What an attempt at a file sees while it runs, and how it ended."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import psycopg

from sqlmigrations.files.reading import Reading
from sqlmigrations.history import Link
from sqlmigrations.models import State
from sqlmigrations.runner.batch_position import Batches
from sqlmigrations.runner.failure import Failure
from sqlmigrations.runner.held_locks import HeldLock, strongest
from sqlmigrations.runner.modes import Mode
from sqlmigrations.runner.send import Timings
from sqlmigrations.runner.task import Direction, Task
from sqlmigrations.runner.watcher import Blocker

#: Notices that are kept of one file, and characters of each.
NOTICES_KEPT, NOTICE_LENGTH = 50, 500

#: Locks that are kept of one file: the strongest ones.
LOCKS_KEPT = 50


@dataclass(slots=True)
class Attempt:
    """What one attempt has seen so far; it outlives the transaction that was rolled back."""

    number: int = 1
    lock_wait_ms: float = 0.0
    started: float = field(default_factory=time.perf_counter)
    timings: Timings = field(default_factory=Timings)
    notices: list[str] = field(default_factory=list)
    blockers: list[Blocker] = field(default_factory=list)
    locks: list[HeldLock] = field(default_factory=list)
    batches: Batches | None = None
    link: Link | None = None

    frozen: float | None = None

    @property
    def duration_ms(self) -> float:
        """Milliseconds since the attempt began, until it was frozen."""
        if self.frozen is not None:
            return self.frozen
        return round((time.perf_counter() - self.started) * 1000, 3)

    def freeze(self) -> None:
        """Stop the clock: what is written down is what is reported."""
        self.frozen = self.duration_ms

    def notice(self, diagnostic: psycopg.errors.Diagnostic) -> None:
        """Keep a notice of the server, up to a number."""
        if len(self.notices) < NOTICES_KEPT:
            text = f"{diagnostic.severity}: {diagnostic.message_primary}"
            self.notices.append(text[:NOTICE_LENGTH])

    def take_locks(self, held: Iterable[HeldLock]) -> None:
        """Note locks that were really taken, but for AccessShare, which every SELECT takes."""
        self.locks = strongest([*self.locks, *(lock for lock in held if lock.mode > Mode.AccessShare)])

    def as_json(self) -> dict[str, Any]:
        """Return what an event keeps: the strongest locks, how many others there were, and the batches."""
        kept: dict[str, Any] = {}
        if self.locks:
            kept["locks"] = [lock.as_json() for lock in self.locks[:LOCKS_KEPT]]
        if len(self.locks) > LOCKS_KEPT:
            kept["more_locks"] = len(self.locks) - LOCKS_KEPT
        if self.batches is not None:
            kept["batches"] = self.batches.as_json()
        return kept


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the attempt at one file ended."""

    name: str
    state: State
    duration_ms: float = 0.0
    statements: int = 0
    lock_wait_ms: float = 0.0
    attempts: int = 1
    error: Failure | None = None
    notes: tuple[str, ...] = ()
    batches: Batches | None = None
    settled_elsewhere: bool = False
    timings: Timings = field(default_factory=Timings)


def done(task: Task, reading: Reading, attempt: Attempt, *notes: str) -> Outcome:
    """Return the outcome of a task that came through."""
    return Outcome(
        task.name,
        _state(task),
        duration_ms=attempt.duration_ms,
        statements=reading.count,
        lock_wait_ms=round(attempt.lock_wait_ms, 3),
        attempts=attempt.number,
        notes=(*reading.notes, *notes),
        batches=attempt.batches,
        timings=attempt.timings,
    )


def failed(task: Task, attempt: Attempt, failure: Failure, state: State) -> Outcome:
    """Return the outcome of a file that did not come through."""
    return Outcome(
        task.name,
        state,
        duration_ms=attempt.duration_ms,
        statements=attempt.timings.count,
        lock_wait_ms=round(attempt.lock_wait_ms, 3),
        attempts=attempt.number,
        error=failure,
        batches=attempt.batches,
        timings=attempt.timings,
    )


def settled(task: Task, attempt: Attempt) -> Outcome:
    """Return the outcome of a file whose COMMIT was unknown and turned out to have happened."""
    return Outcome(
        task.name,
        _state(task),
        duration_ms=attempt.duration_ms,
        statements=attempt.timings.count,
        lock_wait_ms=round(attempt.lock_wait_ms, 3),
        attempts=attempt.number,
        notes=("the connection was lost at COMMIT; the history shows that it was committed",),
    )


def _state(task: Task) -> State:
    return State.APPLIED if task.direction is Direction.FORWARDS else State.REVERTED
