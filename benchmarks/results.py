"""What measurements found: sections with tables and claims, as JSON and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

#: What stands in a table: words, or a number that is written with so many digits behind the point.
Cell = str | int | float | None


@dataclass(frozen=True)
class Table:
    """A table: its columns' heads, and at least one row; words stand left, numbers right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def lines(self) -> Iterator[str]:
        """Yield its lines in Markdown."""
        yield _row(self.columns)
        yield _row(["---" if isinstance(cell, str) else "---:" for cell in self.rows[0]])
        yield from (_row(map(_text, row)) for row in self.rows)


@dataclass(frozen=True)
class Claim:
    """What we want to be true: that something measured is at most ``most``."""

    what: str
    most: float
    measured: float | None
    unit: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether it is true; None where it could not be measured."""
        return None if self.measured is None else self.measured <= self.most


@dataclass(frozen=True)
class Section:
    """What one measurement found, with all that it was found from.

    ``notes`` are paragraphs below the tables; ``raw`` is for those who want to calculate for themselves.
    """

    name: str
    title: str
    about: str
    parameters: Mapping[str, Any]
    tables: tuple[Table, ...]
    claims: tuple[Claim, ...] = ()
    notes: tuple[str, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict)
    machine: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Section:
        """Return what was kept."""
        return cls(
            **{
                **kept,
                "tables": tuple(
                    Table(tuple(table["columns"]), tuple(map(tuple, table["rows"]))) for table in kept["tables"]
                ),
                "claims": tuple(Claim(**claim) for claim in kept["claims"]),
                "notes": tuple(kept["notes"]),
            }
        )

    def lines(self) -> Iterator[str]:
        """Yield its lines in Markdown."""
        yield from (f"## {self.title}", "", self.about, "")
        if self.claims:
            yield from (*_claims(self.claims).lines(), "")
        for table in self.tables:
            yield from (*table.lines(), "")
        for note in self.notes:
            yield from (note, "")
        given = "; ".join(f"{name} {_text(value)}" for name, value in self.parameters.items() if value)
        yield from (f"Parameters: {given}.", "")
        if self.machine:
            yield from (self.machine, "")


def markdown(sections: Iterable[Section]) -> str:
    """Return sections as Markdown."""
    return "\n".join(line for section in sections for line in section.lines())


def _claims(claims: Sequence[Claim]) -> Table:
    words = {True: "yes", False: "**no**", None: "not measured"}
    return Table(
        ("wanted", "at most", "measured", "so"),
        tuple((claim.what, f"{claim.most:g}{claim.unit}", claim.measured, words[claim.holds]) for claim in claims),
    )


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(cell: Any) -> str:
    match cell:
        case None:
            return ""
        case float():
            return f"{cell:,.2f}" if abs(cell) < 100 else f"{cell:,.0f}"
        case int():
            return f"{cell:,}"
        case list() | tuple():
            return ", ".join(map(_text, cell))
    return str(cell)
