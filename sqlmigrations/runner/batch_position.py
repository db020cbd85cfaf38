"""How far a statement has come that runs in batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Values of a key's columns, as text.
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Position:
    """How far a statement has come: the key of the last batch, and what was done so far.

    ``until`` is the highest key that there was when it began: what comes behind it later is left alone. ``walked``
    counts the rows of all batches but the last, ``rows`` those that were changed, ``expected`` what there is to walk.
    """

    statement: str
    columns: tuple[str, ...]
    after: Key | None
    until: Key
    batches: int = 0
    rows: int = 0
    walked: int = 0
    expected: int | None = None

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Position:
        """Return it as it was kept with the record."""
        after = kept["after"]
        values = {**kept, "columns": tuple(kept["columns"]), "until": tuple(kept["until"])}
        return cls(**{**values, "after": None if after is None else tuple(after)})

    def as_json(self) -> dict[str, Any]:
        """Return it as it is kept with the record."""
        return {name: getattr(self, name) for name in self.__slots__}

    @property
    def is_last(self) -> bool:
        """Whether nothing is left to walk."""
        return self.after == self.until


@dataclass(slots=True)
class Batches:
    """What an attempt has seen of its batches: what an event tells of them."""

    size: int
    count: int = 0
    rows: int = 0
    longest_ms: float = 0.0
    paused_ms: float = 0.0
    waited_for_replicas_ms: float = 0.0

    def take(self, rows: int, duration_ms: float) -> None:
        """Take one more batch."""
        self.count += 1
        self.rows += rows
        self.longest_ms = max(self.longest_ms, duration_ms)

    def as_json(self) -> dict[str, Any]:
        """Return it as it is kept with an event."""
        return {name: round(getattr(self, name), 3) for name in self.__slots__}
