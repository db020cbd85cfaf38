"""Checks of counters of the whole server or database: temporary files, checkpoints, cancelled queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from psycopg import sql

from sqlmigrations.health import fixes
from sqlmigrations.health.base import (
    Answer,
    Check,
    Evidence,
    Finding,
    Fix,
    FixKind,
    Probe,
    Skip,
    Subject,
    answer,
)
from sqlmigrations.health.cumulative.window import FILES, Counting
from sqlmigrations.health.grading import grade
from sqlmigrations.health.units import DAY, GB, HOUR, MB, percent, size, span
from sqlmigrations.messages import counted, ngettext
from sqlmigrations.messages import gettext as _

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class TemporaryFiles(Counting):
    """A sort or a hash that doesn't fit into ``work_mem`` goes to the disk, and is slow there.

    A few are well: a nightly report need not have memory of its own. Gigabytes an hour mean that an everyday query
    sorts more than it should, or has too little memory.
    """

    id = "temp_files"
    title = _("Queries sort in memory")
    examines = "databases"
    tags = frozenset({"performance"})
    sql: ClassVar[tuple[str, ...]] = ("temp_files", *FILES)

    min_window_seconds: float = 1 * HOUR
    #: In an hour.
    warning_bytes: int = 1 * GB
    critical_bytes: int = 5 * GB

    def run(self, probe: Probe) -> Answer:
        """Look at this database.

        Raises:
            Skip: the counters have not run for long enough.
        """
        window = self.window(probe)
        return answer([self.judge(probe.row(), window.total_seconds())], window=window)

    def judge(self, row: Row, window: float) -> Finding | None:
        """Judge the bytes in an hour."""
        an_hour = row["bytes"] / max(window / HOUR, 1)
        severity = grade(an_hour, warning=self.warning_bytes, critical=self.critical_bytes)
        if severity is None:
            return None
        return Finding(
            subject=Subject("database", name=row["name"]),
            severity=severity,
            observed=_(
                "{an_hour} an hour, {files} in {window}; work_mem is {work_mem}",
                an_hour=size(an_hour),
                files=counted(row["files"], "file"),
                window=span(window),
                work_mem=size(row["work_mem"]),
            ),
            threshold=_("{warning_bytes} an hour", warning_bytes=size(self.warning_bytes)),
            fixes=(
                fixes.noted(
                    "ALTER SYSTEM SET log_temp_files = {};",
                    sql.Literal("10MB"),
                    note=_("then SELECT pg_reload_conf(); tells which statements they are of"),
                ),
            ),
            value=an_hour,
        )


@dataclass(frozen=True, kw_only=True)
class Checkpoints(Check):
    """A checkpoint that comes before its time, since ``max_wal_size`` was reached, makes the disk busy at a bad moment.

    After each checkpoint the first change of a page is written to the WAL whole, so that early checkpoints also make
    more WAL. A base backup and CREATE DATABASE ask for one as well.
    """

    id = "checkpoints"
    title = _("Checkpoints come when they are due")
    evidence = Evidence.CUMULATIVE
    examines = "servers"
    tags = frozenset({"performance", "settings"})
    sql: ClassVar[tuple[str, ...]] = ("checkpoints", "checkpoints_16")

    min_window_seconds: float = 1 * DAY
    #: Of all checkpoints.
    warning_percent: float = 50
    critical_percent: float = 90
    #: In a day; fewer are well.
    min_checkpoints: int = 24

    def run(self, probe: Probe) -> Answer:
        """Look at the server's checkpoints, which have a reset of their own.

        Raises:
            Skip: they have not been counted for long enough.
        """
        is_newer = probe.capabilities.has("pg_stat_checkpointer")
        row = probe.row("checkpoints" if is_newer else "checkpoints_16")
        if row["seconds"] is None or row["seconds"] < self.min_window_seconds:
            known = (
                _("it is unknown since when")
                if row["seconds"] is None
                else _("only for {window}", window=span(row["seconds"]))
            )
            needed = span(self.min_window_seconds)
            raise Skip(
                _("checkpoints were counted {known}; {needed} are needed", known=known, needed=needed),
                _("Wait."),
            )
        return answer([self.judge(row)], window=timedelta(seconds=row["seconds"]))

    def judge(self, row: Row) -> Finding | None:
        """Judge the share of those that came early."""
        every = row["timed"] + row["requested"]
        a_day = row["requested"] / max(row["seconds"] / DAY, 1)
        share = 100 * row["requested"] / every if every else 0
        severity = grade(share, warning=self.warning_percent, critical=self.critical_percent)
        if severity is None or a_day < self.min_checkpoints:
            return None
        doubled = f"{max(2 * row['max_wal_bytes'] // MB, 1)}MB"
        return Finding(
            subject=Subject("setting", name="max_wal_size"),
            severity=severity,
            observed=_("{share} of the checkpoints came early, {times:,.0f} a day", share=percent(share), times=a_day),
            threshold=f"{self.warning_percent:g} %",
            fixes=(
                fixes.noted(
                    "ALTER SYSTEM SET max_wal_size = {};",
                    sql.Literal(doubled),
                    note=_("then SELECT pg_reload_conf(); needs as much room on the disk"),
                ),
            ),
            value=share,
        )


@dataclass(frozen=True, kw_only=True)
class StandbyConflicts(Counting):
    """A standby cancels queries that are in the way of what it has to replay.

    A vacuum on the primary removes rows that a query on the standby still reads, a migration takes a lock there too.
    ``hot_standby_feedback`` avoids the former at the cost of dead rows on the primary, ``max_standby_streaming_delay``
    both at the cost of lag.
    """

    id = "standby_conflicts"
    title = _("The standby cancels few queries")
    examines = "kinds of conflicts"
    tags = frozenset({"replication"})
    sql: ClassVar[tuple[str, ...]] = ("standby_conflicts", *FILES)

    min_window_seconds: float = 1 * DAY
    #: In a day.
    warning_queries: int = 10
    critical_queries: int = 1000

    def run(self, probe: Probe) -> Answer:
        """Look at the conflicts on this standby; a primary has none to look at.

        Raises:
            Skip: the counters have not run for long enough.
        """
        rows = probe.rows()
        return self.judge_all(rows, self.window(probe)) if rows else Answer(0)

    def judge_all(self, rows: Sequence[Row], window: timedelta) -> Answer:
        """Judge each kind of conflict."""
        days = max(window.total_seconds() / DAY, 1)
        return answer((self.judge(row, days) for row in rows), window=window)

    def judge(self, row: Row, days: float) -> Finding | None:
        """Judge one kind by the cancelled queries in a day."""
        a_day = row["count"] / days
        severity = grade(a_day, warning=self.warning_queries, critical=self.critical_queries)
        if severity is None:
            return None
        return Finding(
            subject=Subject("conflict", name=row["name"]),
            severity=severity,
            observed=ngettext("{count:,} query cancelled a day", "{count:,} queries cancelled a day", round(a_day)),
            threshold=_("{warning_queries} a day", warning_queries=self.warning_queries),
            fixes=_HELP.get(row["name"], ()),
            value=a_day,
        )


_FEEDBACK = Fix(
    FixKind.SQL,
    "ALTER SYSTEM SET hot_standby_feedback = on;",
    _("on the standby, then SELECT pg_reload_conf(); keeps dead rows on the primary while a query needs them"),
)
_DELAY = Fix(
    FixKind.SQL,
    "ALTER SYSTEM SET max_standby_streaming_delay = '2min';",
    _("on the standby, then SELECT pg_reload_conf(); it may lag for as long"),
)
_HELP: Mapping[str, tuple[Fix, ...]] = {"snapshot": (_FEEDBACK, _DELAY), "lock": (_DELAY,), "bufferpin": (_DELAY,)}

CHECKS: tuple[type[Check], ...] = (TemporaryFiles, Checkpoints, StandbyConflicts)
