"""Checks of how tables are read and written. They inform: what is much is for the application to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlmigrations.health import fixes
from sqlmigrations.health.base import (
    Answer,
    Finding,
    Fix,
    FixKind,
    Probe,
    Severity,
    Skip,
    Subject,
    answer,
)
from sqlmigrations.health.cumulative.window import FILES, Counting
from sqlmigrations.health.units import DAY, percent, span
from sqlmigrations.messages import counted
from sqlmigrations.messages import gettext as _

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class CacheHit(Counting):
    """What is not in PostgreSQL's memory is read from the operating system, which may have it in its own.

    So a low share says little by itself, and a report that reads all once a night lowers it. It is information: a
    share that falls is a reason to look for queries that read more than they did.
    """

    id = "cache_hit"
    title = _("Most pages are found in memory")
    examines = "kinds of pages"
    tags = frozenset({"performance"})
    sql: ClassVar[tuple[str, ...]] = ("cache_hit", *FILES)

    min_window_seconds: float = 1 * DAY
    min_percent: float = 95
    #: Of fewer pages nothing can be said.
    min_pages: int = 100_000

    def run(self, probe: Probe) -> Answer:
        """Look at the pages of tables and of indexes.

        Raises:
            Skip: the counters have not run for long enough, or too few pages were asked for.
        """
        window = self.window(probe)
        rows = [row for row in probe.rows() if row["hit"] + row["read"] >= max(self.min_pages, 1)]
        if not rows:
            raise Skip(
                _(
                    "fewer than {min_pages:,.0f} pages were asked for in {window}",
                    min_pages=self.min_pages,
                    window=span(window.total_seconds()),
                )
            )
        return answer((self.judge(row) for row in rows), window=window)

    def judge(self, row: Row) -> Finding | None:
        """Judge one kind of pages."""
        share = 100 * row["hit"] / (row["hit"] + row["read"])
        if share >= self.min_percent:
            return None
        return Finding(
            subject=Subject("pages", name=row["name"]),
            severity=Severity.INFO,
            observed=_("{share} found in memory", share=percent(share)),
            threshold=f"{self.min_percent:g} %",
            fixes=(Fix(FixKind.SQL, "SHOW shared_buffers;", _("a quarter of the machine's memory is a usual value")),),
            value=share,
        )


@dataclass(frozen=True, kw_only=True)
class SequentialScans(Counting):
    """A large table that is read whole again and again mostly lacks an index, or has a query that can't use one.

    Reports and exports read whole tables with good reason, so it is information. The statement is what to look at:
    ``slow_queries``.
    """

    id = "seq_scans"
    title = _("Large tables are rarely read whole")
    examines = "tables"
    tags = frozenset({"performance", "indexes"})
    sql: ClassVar[tuple[str, ...]] = ("table_access", *FILES)

    min_rows: int = 10_000
    #: Scans per day.
    min_scans: int = 100

    def run(self, probe: Probe) -> Answer:
        """Look at all tables.

        Raises:
            Skip: the counters have not run for long enough.
        """
        window = self.window(probe)
        days = max(window.total_seconds() / DAY, 1)
        return answer((self.judge(row, days) for row in probe.rows()), window=window)

    def judge(self, row: Row, days: float) -> Finding | None:
        """Judge one table by the scans of so many days; those that stop after a few rows (LIMIT) don't count."""
        subject = Subject.of("table", row)
        limits = self.on(subject)
        a_day = row["scans"] / days
        if not row["scans"] or row["rows"] < limits.min_rows or a_day < limits.min_scans:
            return None
        each = row["rows_read"] // row["scans"]
        if each < limits.min_rows or row["scans"] <= row["index_scans"] // 10:
            return None
        return Finding(
            subject=subject,
            severity=Severity.INFO,
            observed=_(
                "read whole {times:,.0f} times a day, {rows} each; by an index {index_scans:,.0f} times",
                times=a_day,
                rows=counted(each, "row"),
                index_scans=row["index_scans"] / days,
            ),
            threshold=_("{min_scans} times a day", min_scans=limits.min_scans),
            fixes=(Fix(FixKind.SHELL, "manage.py dbhealth --only slow_queries", _("shows the statements")),),
            value=a_day,
        )


@dataclass(frozen=True, kw_only=True)
class HotUpdates(Counting):
    """An update that finds room on its row's own page, and changes no indexed column, needs not touch any index (HOT).

    Few such updates on a table that is updated often mean that its pages are full, or that a column which always
    changes (a time, a counter) is indexed.
    """

    id = "hot_updates"
    title = _("Updates leave the indexes alone")
    examines = "tables"
    tags = frozenset({"performance", "indexes"})
    sql: ClassVar[tuple[str, ...]] = ("table_access", *FILES)

    min_percent: float = 50
    min_updates: int = 100_000

    def run(self, probe: Probe) -> Answer:
        """Look at all tables.

        Raises:
            Skip: the counters have not run for long enough.
        """
        window = self.window(probe)
        return answer((self.judge(row) for row in probe.rows()), window=window)

    def judge(self, row: Row) -> Finding | None:
        """Judge one table."""
        subject = Subject.of("table", row)
        limits = self.on(subject)
        if row["updates"] < max(limits.min_updates, 1):
            return None
        share = 100 * row["hot_updates"] / row["updates"]
        if share >= limits.min_percent:
            return None
        moved = row["new_page_updates"]
        because = ""
        if moved is not None:
            because = _("; {share} went to another page", share=percent(100 * moved / row["updates"]))
        return Finding(
            subject=subject,
            severity=Severity.INFO,
            observed=_(
                "{share} of {updates} were HOT{because}",
                share=percent(share),
                updates=counted(row["updates"], "update"),
                because=because,
            ),
            threshold=f"{limits.min_percent:g} %",
            fixes=_room(subject, row["fillfactor"]),
            value=share,
        )


def _room(subject: Subject, fillfactor: int) -> tuple[Fix, ...]:
    if fillfactor < 100:
        return ()
    return (
        fixes.noted(
            "ALTER TABLE {} SET (fillfactor = 85);",
            fixes.relation(subject),
            note=_(
                "takes ShareUpdateExclusive for a moment; for new pages only; no help where an indexed column changes"
            ),
        ),
    )


CHECKS = (CacheHit, SequentialScans, HotUpdates)
