"""Shows two texts side by side: what one of them has and the other has not, with some lines around it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

#: Lines of a text up to which two texts are compared; the time grows with their square.
MAX_LINES = 5_000

#: Rows that a page shows.
MAX_ROWS = 500

#: Lines around what differs.
AROUND = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a line of each text with its number; a side that has none is empty.

    ``kind`` is ``same``, ``changed``, ``removed``, ``added``, or ``gap`` where lines that are the same are left out.
    """

    kind: str
    number: int | None = None
    text: str = ""
    other_number: int | None = None
    other_text: str = ""


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Two texts. Without rows they are the same, or too long to be compared."""

    rows: tuple[Row, ...] = ()
    is_too_long: bool = False
    is_cut: bool = False


def side_by_side(one: str, other: str) -> SideBySide:
    """Compare two texts line by line; how their lines end makes no difference."""
    before, after = one.splitlines(), other.splitlines()
    if max(len(before), len(after)) > MAX_LINES:
        return SideBySide(is_too_long=True)
    rows = tuple(_rows(before, after))
    return SideBySide(rows[:MAX_ROWS], is_cut=len(rows) > MAX_ROWS)


def _rows(before: Sequence[str], after: Sequence[str]) -> Iterator[Row]:
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    shown = 0
    for group in matcher.get_grouped_opcodes(AROUND):
        if group[0][1] > shown:
            yield Row("gap")
        for tag, first, last, other_first, other_last in group:
            for offset in range(max(last - first, other_last - other_first)):
                yield _row(tag, before, after, first + offset, last, other_first + offset, other_last)
            shown = last
    if 0 < shown < len(before):
        yield Row("gap")


def _row(tag: str, before: Sequence[str], after: Sequence[str], line: int, last: int, other: int, end: int) -> Row:
    left = (line + 1, before[line]) if line < last else (None, "")
    right = (other + 1, after[other]) if other < end else (None, "")
    kind = "same" if tag == "equal" else "added" if left[0] is None else "removed" if right[0] is None else "changed"
    return Row(kind, *left, *right)
