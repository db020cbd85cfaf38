"""What the catalog says to a finding, and what many rules ask it: how large is the table, and who comes by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlmigrations.files.trees import Path
from sqlmigrations.lint.base import Certainty, Finding
from sqlmigrations.lint.catalog import LIVED_IN, MANY, Catalog, Relation
from sqlmigrations.lint.rewriting import identifier
from sqlmigrations.messages import gettext as _
from sqlmigrations.severity import Severity


@dataclass(frozen=True)
class Verdict:
    """What the catalog says to one finding; empty words leave those of the finding."""

    certainty: Certainty
    because: str
    message: str = ""
    rewrite: str = ""
    severity: Severity | None = None


Judge = Callable[[Finding, Catalog], Verdict]


def cleared(because: str) -> Verdict:
    """Clear a finding: it is no danger here."""
    return Verdict(Certainty.CLEARED, because)


def sure(because: str, message: str = "", rewrite: str = "", severity: Severity | None = None) -> Verdict:
    """Confirm a finding, in better words where there are any."""
    return Verdict(Certainty.CONFIRMED, because, message, rewrite, severity)


def absent(path: Path) -> Verdict:
    """Leave a finding a guess: what it speaks of is made before it, or elsewhere."""
    return Verdict(Certainty.GUESS, f"{identifier(path) or 'it'} is not in this database yet")


def small(relation: Relation, because: str) -> Verdict:
    """Clear what is no danger with few rows; it stays a guess where the database says little of production."""
    if relation.is_telling:
        return cleared(because)
    little = f"no table here has {LIVED_IN:,} rows, so that says little of production"
    return Verdict(Certainty.GUESS, f"{because}, but {little}")


def by_size(one: Finding, catalog: Catalog) -> Verdict:
    """Judge slow work by how much there is to do, and by who waits meanwhile."""
    return sized(catalog.relation(one.subject.table), one.subject.table)


def sized(relation: Relation | None, path: Path) -> Verdict:
    """Judge slow work on a relation by its rows."""
    if relation is None:
        return absent(path)
    if relation.is_small:
        return small(relation, str(relation))
    worse = relation.is_busy or relation.rows >= MANY
    return Verdict(Certainty.WORSE if worse else Certainty.CONFIRMED, str(relation))


def by_traffic(one: Finding, catalog: Catalog) -> Verdict:
    """Judge a brief lock, or a loss, by who comes by: it stays with few rows too, but is worse where many are."""
    return visited(catalog.relation(one.subject.table), one.subject.table)


def visited(relation: Relation | None, path: Path) -> Verdict:
    """Judge a lock on a relation by its traffic."""
    if relation is None:
        return absent(path)
    return Verdict(Certainty.WORSE if relation.is_busy else Certainty.CONFIRMED, str(relation))


def brief(one: Finding, catalog: Catalog) -> Verdict:
    """Judge a brief lock on another relation: a note, but a warning where many come by."""
    relation = catalog.relation(one.subject.table)
    if relation is None:
        return absent(one.subject.table)
    if relation.is_small:
        return small(relation, str(relation))
    verdict = visited(relation, one.subject.table)
    return replace(verdict, severity=Severity.WARNING) if verdict.certainty is Certainty.WORSE else verdict


def as_it_is(one: Finding, catalog: Catalog) -> Verdict:
    """Leave a finding as it is: the catalog says nothing about it."""
    return Verdict(one.certainty, one.because)


def rewritten(one: Finding) -> str:
    """Say without an if what the text alone could not be sure of."""
    return _("All of {table} is rewritten, and can't be read meanwhile.", table=identifier(one.subject.table))
