"""The check of indexes that nobody uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from sqlmigrations.health import fixes
from sqlmigrations.health.base import (
    Answer,
    Finding,
    Probe,
    Severity,
    Skip,
    Subject,
    answer,
)
from sqlmigrations.health.cumulative.window import FILES, Counting
from sqlmigrations.health.measures import Measures, find
from sqlmigrations.health.units import DAY, MB, size, span
from sqlmigrations.messages import counted
from sqlmigrations.messages import gettext as _


@dataclass(frozen=True, kw_only=True)
class UnusedIndex(Counting):
    """An index that no query uses costs time with each write, memory, and room in every backup.

    It is told only where that can be known: the counters have run for ``min_window_seconds`` since the last reset,
    crash or restore; no standby answers queries that aren't counted here; and the index is there for scans only. One
    that backs a constraint, keeps values unique, alone serves a foreign key, is the replica identity or what the table
    is clustered by is never told, whatever its counter says.

    Where earlier numbers are kept (``dbhealth --keep``), the scans since then count instead of those since the server
    counts: an index that was used last year is told, too. An index for a report that runs once a month needs a longer
    window.
    """

    id = "unused_index"
    title = _("Every index is used")
    examines = "indexes"
    tags = frozenset({"performance", "indexes"})
    sql: ClassVar[tuple[str, ...]] = ("unused_index", "standbys", *FILES)

    #: Smaller ones cost next to nothing.
    min_bytes: int = 10 * MB
    #: From PostgreSQL 16 on: one that was not scanned for so long is told as well.
    idle_seconds: float = 90 * DAY
    #: How many standbys there are that answer no queries.
    unread_standbys: int = 0

    def run(self, probe: Probe) -> Answer:
        """Look at all valid indexes.

        Raises:
            Skip: the counters have not run for long enough, or others may use the indexes elsewhere.
        """
        seconds = probe.past.counted_seconds
        then = probe.past.counted if seconds >= self.min_window_seconds else None
        window = timedelta(seconds=seconds) if then is not None else self.window(probe)
        self._ask_alone(probe)
        rows = [row | {"scans": _scans(row, then)} for row in probe.rows()]
        known = [row for row in rows if row["scans"] is not None and not self._is_too_young(row)]
        young = len(rows) - len(known)
        return answer(
            (self.judge(row, window.total_seconds()) for row in known),
            window=window,
            left_out=_("{indexes} younger than the window", indexes=counted(young, "index", "indexes"))
            if young
            else "",
        )

    def _ask_alone(self, probe: Probe) -> None:
        if probe.capabilities.is_standby:
            raise Skip(
                _("this is a standby: its primary and other standbys may use what it doesn't"), _("Ask the primary.")
            )
        standbys = probe.row("standbys")["standbys"]
        if standbys > self.unread_standbys:
            raise Skip(
                _(
                    "{standbys} may use indexes that this server doesn't",
                    standbys=counted(standbys, "standby", "standbys"),
                ),
                _(
                    "Where nobody reads from them, set unread_standbys of {check} to {standbys}.",
                    check=self.id,
                    standbys=standbys,
                ),
            )

    def _is_too_young(self, row: Mapping[str, Any]) -> bool:
        return row["made_seconds"] is not None and row["made_seconds"] < self.min_window_seconds

    def judge(self, row: Mapping[str, Any], window: float) -> Finding | None:
        """Judge one index by its scans within ``window`` seconds."""
        subject = Subject.of("index", row)
        limits = self.on(subject)
        if row["purpose"] or row["is_django_like"] or row["bytes"] < limits.min_bytes:
            return None
        idle = row["last_scan_seconds"]
        if row["scans"] and (idle is None or idle < limits.idle_seconds):
            return None
        seen = (
            _("last scanned {idle} ago", idle=span(idle))
            if row["scans"]
            else _("never scanned in {window}", window=span(window))
        )
        return Finding(
            subject=subject,
            severity=Severity.WARNING,
            observed=_(
                "{seen}, {bytes}, {writes} to its table",
                seen=seen,
                bytes=size(row["bytes"]),
                writes=counted(row["writes"], "write"),
            ),
            threshold=_(
                "a scan in {window}", window=span(limits.idle_seconds if row["scans"] else limits.min_window_seconds)
            ),
            fixes=fixes.drop_index(subject),
            value=row["bytes"],
        )


def _scans(row: Mapping[str, Any], then: Measures | None) -> int | None:
    """Return how often an index was scanned since ``then``, else since the server counts.

    None where it was not there then, or its own counter began anew.
    """
    if then is None:
        return int(row["scans"])
    was = find(then.indexes, row["schema"], row["name"])
    return None if was is None or row["scans"] < was[1] else int(row["scans"] - was[1])


CHECKS = (UnusedIndex,)
