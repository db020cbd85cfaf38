"""What two moments, and the history of the files, say about where a database is going; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmigrations.health.measures import Measures, Past, find, multixacts_between

#: Ids until the server refuses writes, if nothing is frozen meanwhile.
ROOM = 2**31

#: Below this time no rate is told.
LEAST = timedelta(hours=1)

#: Of each kind so many are told.
TOLD = 20

#: A file is slower than before when it takes so many times what it took, and so many milliseconds more.
SLOWER_TIMES, SLOWER_MS = 2.0, 1000.0


@dataclass(frozen=True, slots=True)
class IdTrend:
    """How fast transaction ids or multixacts are used up, and how long it takes to a standstill if none is frozen."""

    kind: str
    age: int
    per_second: float
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class SequenceTrend:
    """How fast a sequence goes, and how long it lasts at that rate."""

    schema: str
    name: str
    last: int
    per_second: float
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class TableTrend:
    """How large a table is, without its indexes, and how fast it grows or shrinks; in bytes."""

    schema: str
    name: str
    bytes: int
    per_second: float


@dataclass(frozen=True, slots=True)
class FileTime:
    """How long a file took when it was applied last, and how long before; in milliseconds."""

    name: str
    times: int
    last_ms: float
    at: datetime
    #: Of all times before the last one; None where it was applied once.
    median_ms: float | None = None
    #: The statement of the last time that took longest.
    line: int | None = None
    statement_ms: float | None = None

    @property
    def is_slower(self) -> bool:
        """Whether the last time took much longer than those before."""
        if self.median_ms is None:
            return False
        return self.last_ms >= SLOWER_TIMES * self.median_ms and self.last_ms - self.median_ms >= SLOWER_MS


@dataclass(frozen=True, slots=True)
class Trends:
    """Where a database is going. ``since`` is None where nothing was kept that can be compared with."""

    since: datetime | None = None
    until: datetime | None = None
    #: How many moments of this database are kept.
    runs: int = 0
    bytes: int = 0
    bytes_per_second: float = 0.0
    ids: tuple[IdTrend, ...] = ()
    #: Those that end first.
    sequences: tuple[SequenceTrend, ...] = ()
    #: Those that grow or shrink most.
    tables: tuple[TableTrend, ...] = ()
    #: The slowest ones.
    files: tuple[FileTime, ...] = ()

    @property
    def slower(self) -> tuple[FileTime, ...]:
        """The files that took much longer at last than before."""
        return tuple(file for file in self.files if file.is_slower)


def compare(then: Measures, now: Measures, *, runs: int, files: Sequence[FileTime] = ()) -> Trends:
    """Return what has changed between two moments of one database; only the files where too little time has passed."""
    past = Past(now.at, then)
    if now.at - then.at < LEAST:
        return Trends(runs=runs, files=tuple(files))
    sequences = sorted(_sequences(past, then, now), key=lambda each: (each.seconds_left or 0.0, each.schema, each.name))
    tables = sorted(_tables(past, then, now), key=lambda each: (-abs(each.per_second), each.schema, each.name))
    return Trends(
        since=then.at,
        until=now.at,
        runs=runs,
        bytes=now.bytes,
        bytes_per_second=(now.bytes - then.bytes) / past.seconds,
        ids=(
            _id("transaction ids", now.transaction_age, now.transaction_ids - then.transaction_ids, past.seconds),
            _id("multixacts", now.multixact_age, multixacts_between(then.multixacts, now.multixacts), past.seconds),
        ),
        sequences=tuple(sequences[:TOLD]),
        tables=tuple(tables[:TOLD]),
        files=tuple(files),
    )


def _id(kind: str, age: int, used: int, seconds: float) -> IdTrend:
    rate = used / seconds
    return IdTrend(kind, age, rate, max(0, ROOM - age) / rate if rate > 0 else None)


def _sequences(past: Past, then: Measures, now: Measures) -> Iterator[SequenceTrend]:
    """Yield the sequences that have come nearer to their end."""
    for schema, names in now.sequences.items():
        for name, (last, limit) in names.items():
            was = find(then.sequences, schema, name)
            left = past.seconds_left(was and was[0], last, limit)
            if left is not None:
                yield SequenceTrend(schema, name, last, (last - was[0]) / past.seconds, left)


def _tables(past: Past, then: Measures, now: Measures) -> Iterator[TableTrend]:
    """Yield the tables whose size has changed."""
    for schema, names in now.tables.items():
        for name, (size, *_) in names.items():
            was = find(then.tables, schema, name)
            if was is not None and was[0] != size:
                yield TableTrend(schema, name, size, (size - was[0]) / past.seconds)
