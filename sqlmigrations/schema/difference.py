"""The vocabulary of a validation: differences, and what could not be looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlmigrations.schema.catalog import Catalog
from sqlmigrations.severity import Severity as Severity  # a part of this vocabulary


class Source(StrEnum):
    """Who says what the database should be."""

    HISTORY = "history"
    REQUIRED = "required"
    MODELS = "models"
    SNAPSHOT = "snapshot"
    REPLAY = "replay"
    ROUNDTRIP = "roundtrip"
    VERIFY = "verify"
    AGAINST = "against"


@dataclass(frozen=True, slots=True)
class Change:
    """Who made a difference, when and with what."""

    at: datetime
    by: str
    application: str
    statement: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it should be; ``fix`` is what to type, SQL or a command.

    ``object`` is its name where it should be; ``found_object`` the one that it has, where that differs.
    """

    source: Source
    kind: str
    object: str
    attribute: str
    expected: str
    found: str
    severity: Severity
    fix: str = ""
    changed: Change | None = None
    found_object: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that could not be looked at; ``remedy`` is what would help.

    Where nobody asked for it by name it is told and no more; what was asked for and skipped is an answer not given.
    """

    what: str
    reason: str
    remedy: str = ""
    asked: bool = True


def _whole(catalog: Catalog) -> Catalog:
    return catalog


@dataclass(frozen=True, slots=True)
class Findings:
    """What one source says: differences, how many objects of each kind it looked at, and what it could not.

    ``expected`` and ``found`` are the catalogs that were compared, where there are two; ``part`` leaves of a catalog
    what this source speaks of, where that isn't all.
    """

    differences: tuple[Difference, ...] = ()
    examined: Mapping[str, int] = field(default_factory=dict)
    not_covered: Mapping[str, int] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()
    expected: Catalog | None = field(default=None, compare=False, repr=False)
    found: Catalog | None = field(default=None, compare=False, repr=False)
    part: Callable[[Catalog], Catalog] = field(default=_whole, compare=False, repr=False)
