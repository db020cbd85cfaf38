"""Short texts that were split when they were judged, held in bounded memory until they run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlmigrations.files.scripts import SMALL, Script, Stamp
from sqlmigrations.files.statements import Statement
from sqlmigrations.files.window import BLOCK

#: Longer texts, in bytes, are split again: to run them takes so long that it doesn't matter.
LONGEST = BLOCK
#: About what a statement takes beside its text, and a text beside its statements, in bytes.
_STATEMENT, _TEXT = 500, 1000


@dataclass(frozen=True, slots=True)
class SplitText:
    """What a ``Splitter`` has told of a whole text, to be told again; ``stamp`` is from before the file was read."""

    stamp: Stamp
    text: bytes
    statements: Sequence[Statement]
    directives: Sequence[tuple[int, str, bool]]
    notes: Sequence[str]

    #: As a ``Splitter`` that has read all.
    is_complete = True

    def skip_gap(self) -> bool:
        """Return whether there is a statement."""
        return bool(self.statements)

    def __iter__(self) -> Iterator[Statement]:
        return iter(self.statements)


class Room:
    """Room for texts that wait until they run: together they take no more than one file may that is read whole."""

    def __init__(self, size: int = SMALL) -> None:
        self._left = size

    def hold(self, script: Script, split: SplitText) -> None:
        """Have ``script`` hold its text if there is room left, and if it has no data, which comes but once."""
        taken = 2 * len(split.text) + _STATEMENT * len(split.statements) + _TEXT
        if taken <= self._left and all(statement.data is None for statement in split.statements):
            self._left -= taken
            script.hold(split)
