"""Checks of which statements take long, as pg_stat_statements has seen it, and of the extension itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

import psycopg
from psycopg import sql

from sqlmigrations.exceptions import SQLMigrationsError
from sqlmigrations.files.splitter import split
from sqlmigrations.health import fixes
from sqlmigrations.health.base import (
    Answer,
    Check,
    Evidence,
    Finding,
    Fix,
    FixKind,
    Probe,
    Severity,
    Skip,
    Subject,
    answer,
)
from sqlmigrations.health.cumulative.pg_stat_statements import (
    EXTENSION,
    Row,
    is_installed,
    open_statements,
    unless_hidden,
)
from sqlmigrations.health.grading import grade
from sqlmigrations.health.snapshot.sessions import SEES_ALL
from sqlmigrations.health.texts import shown
from sqlmigrations.health.units import DAY, HOUR, percent, quick
from sqlmigrations.messages import counted
from sqlmigrations.messages import gettext as _

#: Words with which a statement begins that EXPLAIN can take.
_EXPLAINABLE = re.compile(r"\s*(?:select|insert|update|delete|merge|with|values)\b", re.IGNORECASE)


# Slow statements


@dataclass(frozen=True, kw_only=True)
class SlowQueries(Check):
    """A statement that takes a second each time keeps somebody waiting each time.

    One that takes a third of all time keeps the server from everything else. They are taken from pg_stat_statements,
    whatever its version. Of a statement of one's own the plan is shown, as PostgreSQL makes it without knowing the
    values (``EXPLAIN (GENERIC_PLAN)``, from 16 on); nothing is executed.
    """

    id = "slow_queries"
    title = _("Statements answer quickly")
    evidence = Evidence.CUMULATIVE
    examines = "statements"
    tags = frozenset({"performance"})
    right = SEES_ALL
    sql: ClassVar[tuple[str, ...]] = ("slow_queries", "statements_window", "default_search_path")

    #: On average.
    warning_seconds: float = 1
    critical_seconds: float = 10
    min_calls: int = 10
    #: Of the time of all statements; more than this is information.
    share_percent: float = 33
    #: The most findings whose plan is shown.
    plans: int = 5

    def run(self, probe: Probe) -> Answer:
        """Look at the statements of this database.

        Raises:
            Skip: pg_stat_statements is not there, or nothing was found but the statements of others are hidden.
        """
        opened, seconds = open_statements(probe)
        rows = opened.rows()
        given = unless_hidden(probe, rows, self.judge(rows, seconds))
        return given if not given.findings else self._with_plans(probe, rows, given)

    def judge(self, rows: Sequence[Row], seconds: float | None) -> Answer:
        """Judge all statements whose text may be seen."""
        unseen = sum(row["is_hidden"] for row in rows)
        total = sum(row["seconds"] for row in rows) or 1.0
        return answer(
            (self._one(row, total) for row in rows if not row["is_hidden"]),
            window=None if seconds is None else timedelta(seconds=seconds),
            left_out=_("{things} of other roles", things=counted(unseen, "statement")) if unseen else "",
        )

    def _one(self, row: Row, total: float) -> Finding | None:
        share = 100 * row["seconds"] / total
        severity = self._severity(row, share)
        if severity is None:
            return None
        return Finding(
            subject=_statement(row),
            severity=severity,
            observed=_(
                "{mean_seconds} on average, {calls}, {share} of all time",
                mean_seconds=quick(row["mean_seconds"]),
                calls=counted(row["calls"], "call"),
                share=percent(share),
            ),
            threshold=_("{warning_seconds} on average", warning_seconds=quick(self.warning_seconds)),
            fixes=(
                Fix(
                    FixKind.SQL,
                    "EXPLAIN (ANALYZE, BUFFERS) ...;",
                    _("with real values; it executes the statement, so a changing one within BEGIN and ROLLBACK"),
                ),
            ),
            identity=(row["role"], row["query"]),
            value=row["mean_seconds"],
            details=(f"statement of {row['role']}: {shown(row['query'])}",),
        )

    def _severity(self, row: Row, share: float) -> Severity | None:
        if row["calls"] < self.min_calls:
            return None
        by_mean = grade(row["mean_seconds"], warning=self.warning_seconds, critical=self.critical_seconds)
        is_much = share >= self.share_percent and row["seconds"] >= 1
        return by_mean or (Severity.INFO if is_much else None)

    def _with_plans(self, probe: Probe, rows: Sequence[Row], given: Answer) -> Answer:
        """Return the answer with the plans of the worst own statements below their findings."""
        texts = {str(_statement(row)): row["query"] for row in rows if row["is_own"] and not row["is_hidden"]}
        at_home = probe.looking_in(probe.row("default_search_path")["value"])
        findings = []
        for place, found in enumerate(given.findings):
            text = texts.get(str(found.subject)) if place < self.plans else None
            plan = generic_plan(at_home, text) if text else ()
            findings.append(_detailed(found, plan))
        return Answer(given.examined, tuple(findings), given.window, given.left_out)


def generic_plan(probe: Probe, statement: str) -> tuple[str, ...]:
    """Return the plan of a statement whose values are not known, line by line; nothing where there is none.

    Nothing is executed: the text is one statement that EXPLAIN takes. It must be one of the asking role's own, since
    planning evaluates immutable functions.
    """
    if not _EXPLAINABLE.match(statement) or not _is_single(statement):
        return ()
    try:
        # A statement can't be a parameter of another one; that it is a single one is made sure of.
        rows = probe.fetch(f"EXPLAIN (GENERIC_PLAN) {statement}", None)
    except psycopg.Error:
        return ()  # an older server, or a statement that can't be planned without its values
    return tuple(f"plan: {row['QUERY PLAN']}" for row in rows)


def _is_single(text: str) -> bool:
    try:
        return len(list(split([text.encode()]))) == 1
    except SQLMigrationsError:
        return False


def _detailed(found: Finding, lines: tuple[str, ...]) -> Finding:
    return replace(found, details=(*found.details, *lines))


def _statement(row: Row) -> Subject:
    return Subject("query", name=f"query {row['name']}")


# The extension itself


@dataclass(frozen=True, kw_only=True)
class StatementStatistics(Check):
    """Without pg_stat_statements nobody can tell which statements make the server busy.

    It keeps ``pg_stat_statements.max`` of them, and forgets those that are called least when there are more. When that
    happens often, most of what it says of seldom statements is wrong: mostly because a program writes values into its
    statements, or lists of changing length.
    """

    id = "pgss_health"
    title = _("Statements are counted, and none is forgotten")
    evidence = Evidence.CUMULATIVE
    examines = "extensions"
    tags = frozenset({"performance", "settings"})
    sql: ClassVar[tuple[str, ...]] = ("statements_window",)

    #: Evictions in a day; each forgets one statement of twenty.
    warning_evictions: int = 24

    def run(self, probe: Probe) -> Answer:
        """Look whether it is there, and how often it had no room.

        Raises:
            Skip: it is installed, but not loaded, or too old to tell.
        """
        if not is_installed(probe):
            return answer([_missing()])
        opened, seconds = open_statements(probe)
        if seconds is None:
            raise Skip(
                _(
                    "{extension} {version} doesn't tell what it forgets",
                    extension=EXTENSION,
                    version=probe.capabilities.extensions[EXTENSION][1],
                ),
                f"ALTER EXTENSION {EXTENSION} UPDATE;",
            )
        row = opened.row("statements_window")
        return answer([self.judge(row)], window=timedelta(seconds=row["seconds"]))

    def judge(self, row: Row) -> Finding | None:
        """Judge the evictions in a day."""
        a_day = row["evictions"] / max(row["seconds"] / DAY, HOUR / DAY)
        if not row["evictions"] or a_day < self.warning_evictions:
            return None
        return Finding(
            subject=Subject("extension", name=EXTENSION),
            severity=Severity.WARNING,
            observed=_("had no room {times:,.0f} times a day, and forgot statements each time", times=a_day),
            threshold=_("{warning_evictions} times a day", warning_evictions=self.warning_evictions),
            fixes=(
                fixes.noted(
                    "ALTER SYSTEM SET pg_stat_statements.max = {};",
                    sql.Literal(20_000),
                    note=_("then restart the server; better: have programs pass values as parameters"),
                ),
            ),
            value=a_day,
        )


def _missing() -> Finding:
    return Finding(
        subject=Subject("extension", name=EXTENSION),
        severity=Severity.INFO,
        observed=_("not installed in this database: nobody can tell which statements take long"),
        threshold=_("installed"),
        fixes=(
            fixes.noted(
                "CREATE EXTENSION {};",
                sql.Identifier(EXTENSION),
                note=_("with shared_preload_libraries = '{extension}', which needs a restart", extension=EXTENSION),
            ),
        ),
    )


CHECKS: tuple[type[Check], ...] = (SlowQueries, StatementStatistics)
