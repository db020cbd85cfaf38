"""The lock table: what each kind of statement was seen to lock and to do, on the versions that were measured.

``locks.json`` is written by ``python -m tests.lint.measure_locks``, never by hand.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlmigrations.runner.modes import Mode

#: The names of the modes, from the weakest to the strongest.
STRENGTH = tuple(str(mode) for mode in Mode)


@dataclass(frozen=True)
class Measured:
    """What one statement did on one version: the strongest lock on each table of before, and its work."""

    locks: Mapping[str, str] = field(default_factory=dict)
    rewrites: tuple[str, ...] = ()
    scans: tuple[str, ...] = ()
    builds: tuple[str, ...] = ()
    validates: tuple[str, ...] = ()
    proven: tuple[str, ...] = ()

    @property
    def work(self) -> str:
        """The work in words; empty when there was none to speak of."""
        found = [
            "rewrites the table" if self.rewrites else "",
            "builds indexes" if self.builds and not self.rewrites else "",
            "reads the whole table" if self.scans and not self.rewrites else "",
            "reads both tables" if self.validates else "",
        ]
        return " and ".join(part for part in found if part)


@dataclass(frozen=True)
class Entry:
    """One statement of the table, with what was measured on each major version."""

    sql: str
    versions: Mapping[int, Measured]

    @property
    def newest(self) -> Measured:
        """What the newest version did."""
        return self.versions[max(self.versions)]


@functools.cache
def lock_table() -> Mapping[str, Entry]:
    """Return the table by the statements' ids."""
    path = Path(__file__).parent / "locks.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return {
        id: Entry(entry["sql"], {int(version): _measured(row) for version, row in entry["versions"].items()})
        for id, entry in found.items()
    }


def _measured(row: dict[str, Any]) -> Measured:
    return Measured(row["locks"], **{kind: tuple(names) for kind, names in row.items() if kind != "locks"})


def strongest(id: str) -> str:
    """Return the lock that a rule's statement takes on the table it is about; empty for a rule without one."""
    if not id:
        return ""
    modes = lock_table()[id].newest.locks.values()
    return max(modes, key=STRENGTH.index, default="")
