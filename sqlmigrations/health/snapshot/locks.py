"""The check of locks: who waits for whom, and who is at the root of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlmigrations.health.base import (
    BEFORE,
    Answer,
    Check,
    Evidence,
    Finding,
    Fix,
    FixKind,
    Probe,
    Subject,
)
from sqlmigrations.health.grading import grade
from sqlmigrations.health.snapshot.sessions import identity, subject_of, terminate
from sqlmigrations.health.texts import shown
from sqlmigrations.health.units import MINUTE, span
from sqlmigrations.messages import gettext as _
from sqlmigrations.messages import ngettext

Row = Mapping[str, Any]

#: What pg_blocking_pids() says of a transaction that was prepared: it has no process.
PREPARED = 0


@dataclass(frozen=True, kw_only=True)
class Blocked(Check):
    """Sessions that wait for a lock wait for one in the end: the one at the root, who waits for nobody.

    Told is each root with the tree of those who wait for it, directly or in the queue behind another one. Ending the
    root sets all of them free; ending one that waits helps that one alone.
    """

    id = "blocked"
    title = _("Nobody waits for a lock for long")
    evidence = Evidence.SNAPSHOT
    examines = "sessions"
    tags = frozenset({"sessions", "locks", BEFORE})
    sql: ClassVar[tuple[str, ...]] = ("sessions",)

    #: Since the longest waiting one began to wait.
    warning_seconds: float = 30
    critical_seconds: float = 5 * MINUTE

    def run(self, probe: Probe) -> Answer:
        """Look at the sessions of this database, and arrange those who wait below those they wait for."""
        return self.judge(probe.rows())

    def judge(self, rows: Sequence[Row]) -> Answer:
        """Judge each root with all who wait for it."""
        by_pid = {row["pid"]: row for row in rows}
        found = [self._root(root, tree, by_pid) for root, tree in trees(rows).items()]
        return Answer(len(rows), tuple(finding for finding in found if finding is not None))

    def _root(self, pid: int, tree: Sequence[tuple[int, int]], by_pid: Mapping[int, Row]) -> Finding | None:
        root = by_pid.get(pid)
        limits = self.on(root["role"] if root else "")
        longest = max(by_pid[waiter]["waiting_seconds"] or 0.0 for waiter, _depth in tree)
        severity = grade(longest, warning=limits.warning_seconds, critical=limits.critical_seconds)
        if severity is None:
            return None
        return Finding(
            subject=subject_of(root) if root else _outsider(pid),
            severity=severity,
            observed=ngettext(
                "{count} session waits for it, the longest for {longest}",
                "{count} sessions wait for it, the longest for {longest}",
                len(tree),
                longest=span(longest),
            ),
            threshold=span(limits.warning_seconds),
            fixes=(_set_free(pid),),
            identity=identity(root) if root else (),
            value=longest,
            details=tuple(_line(by_pid[waiter], depth) for waiter, depth in tree),
        )


def trees(rows: Sequence[Row]) -> dict[int, list[tuple[int, int]]]:
    """Return, for each root, who waits for it: process ids with their depth, each below one that it waits for.

    A root waits for nobody itself. Who waits for several roots stands below each of them. Of a deadlock, which has no
    root, the smallest process id stands for one, until PostgreSQL has resolved it.
    """
    below: dict[int, list[int]] = {}
    waiting = {row["pid"] for row in rows if row["blocked_by"]}
    for row in sorted(rows, key=lambda row: int(row["pid"])):
        for blocker in dict.fromkeys(row["blocked_by"]):
            below.setdefault(blocker, []).append(row["pid"])
    found = {root: _tree(root, below) for root in sorted(below) if root not in waiting}
    unreached = waiting - {pid for tree in found.values() for pid, _depth in tree}
    if unreached:
        found[min(unreached)] = _tree(min(unreached), below)
    return found


def _tree(root: int, below: Mapping[int, Sequence[int]]) -> list[tuple[int, int]]:
    """Return all who wait for ``root`` with their depth, each once, a parent right before its children."""
    found: dict[int, int] = {}

    def grow(pid: int, depth: int) -> None:
        for child in below.get(pid, ()):
            if child not in found and child != root:
                found[child] = depth
                grow(child, depth + 1)

    grow(root, 1)
    return list(found.items())


def _line(row: Row, depth: int) -> str:
    """Return the line of one who waits: ``pid 12 (app) wants ShareLock on orders, 40 s: UPDATE ...``."""
    wanted = f"wants {row['lock_mode']} on {row['lock_target']}" if row["lock_mode"] else "waits"
    return f"{'  ' * (depth - 1)}{subject_of(row)} {wanted}, {span(row['waiting_seconds'] or 0)}: {shown(row['query'])}"


def _outsider(pid: int) -> Subject:
    """Return the subject of a root that is no session of this database."""
    return Subject("session", name="a prepared transaction" if pid == PREPARED else f"pid {pid}")


def _set_free(pid: int) -> Fix:
    """Return how to set those free who wait for a root."""
    if pid != PREPARED:
        return terminate(pid)
    return Fix(
        FixKind.SQL,
        "SELECT gid, prepared, owner, database FROM pg_catalog.pg_prepared_xacts ORDER BY prepared;",
        _("then COMMIT PREPARED or ROLLBACK PREPARED the one that its transaction manager has forgotten"),
    )


CHECKS: tuple[type[Check], ...] = (Blocked,)
