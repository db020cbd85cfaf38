"""What is measured of a database at one moment, and what two moments say together; pure.

A sequence and the clock of transaction ids go on whatever happens to the server. Counters begin anew with a crash or a
reset: they are compared only with a moment since when the server has counted without a break.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

#: Multixact ids have 32 bits.
MULTIXACTS = 2**32

#: Moments further back are not compared with: so much covers a month with its end.
FURTHEST = timedelta(days=35)

#: Things of a schema by name.
BySchema = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """The numbers of one moment; objects are found by schema and name."""

    at: datetime
    #: The server and the database: numbers of two places are never compared.
    place: str
    started_at: datetime
    #: Since when the server counts; None where that is unknown.
    counting_since: datetime | None
    #: The next ids, and how old the oldest that are not frozen are in this database.
    transaction_ids: int = 0
    multixacts: int = 0
    transaction_age: int = 0
    multixact_age: int = 0
    bytes: int = 0
    #: The last value and the limit of each sequence that may be read and was used.
    sequences: BySchema = field(default_factory=dict)
    #: Size in bytes, estimated rows, scans of the whole and by an index, of each table.
    tables: BySchema = field(default_factory=dict)
    #: Size in bytes and scans of each index; those of partitions count as one.
    indexes: BySchema = field(default_factory=dict)
    #: The transaction that refreshed each materialized view, and the changes counted by then in the tables it reads.
    matviews: BySchema = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return what is kept beside the columns of a run."""
        return {name: getattr(self, name) for name in _MEASURED}

    @classmethod
    def from_json(
        cls,
        measured: Mapping[str, Any],
        *,
        at: datetime,
        place: str,
        started_at: datetime,
        counting_since: datetime | None,
    ) -> Self:
        """Return what was kept of a run; what an older version of this package didn't measure is empty."""
        known = {name: measured[name] for name in _MEASURED if name in measured}
        return cls(at=at, place=place, started_at=started_at, counting_since=counting_since, **known)


_MEASURED = (
    "transaction_ids",
    "multixacts",
    "transaction_age",
    "multixact_age",
    "bytes",
    "sequences",
    "tables",
    "indexes",
    "matviews",
)


def find(things: BySchema, schema: str, name: str) -> Any:
    """Return what was measured of an object; None where it wasn't there."""
    return things.get(schema, {}).get(name)


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of earlier moments, for checks that judge how fast something goes.

    ``baseline`` is the oldest kept moment that is not too far back, ``counted`` the oldest since when the server counts
    without a break; either may be missing.
    """

    now: datetime | None = None
    baseline: Measures | None = None
    counted: Measures | None = None

    @property
    def seconds(self) -> float:
        """Seconds since ``baseline``; 0 without one."""
        return _between(self.baseline, self.now)

    @property
    def counted_seconds(self) -> float:
        """Seconds since ``counted``; 0 without one."""
        return _between(self.counted, self.now)

    def seconds_left(self, was: float | None, now: float, limit: float) -> float | None:
        """Return how long it takes from ``now`` to ``limit`` at the rate since ``baseline``.

        None where it was not measured then, or moves away from the limit.
        """
        if was is None or self.seconds <= 0:
            return None
        rate = (now - was) / self.seconds
        left = limit - now
        return left / rate if rate and left / rate >= 0 else None


def _between(then: Measures | None, now: datetime | None) -> float:
    return (now - then.at).total_seconds() if then is not None and now is not None else 0.0


def multixacts_between(then: int, now: int) -> int:
    """Return how many multixacts were used up between two counts, which come round at 32 bits."""
    return (now - then) % MULTIXACTS
