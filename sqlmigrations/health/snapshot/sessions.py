"""Checks of what sessions do at this moment: who holds things up, and who waits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from psycopg import sql

from sqlmigrations.health import fixes
from sqlmigrations.health.base import (
    BEFORE,
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
from sqlmigrations.health.grading import grade
from sqlmigrations.health.texts import shown
from sqlmigrations.health.units import MINUTE, percent, span
from sqlmigrations.messages import counted
from sqlmigrations.messages import gettext as _

#: What lets a role see what the sessions of other roles do.
SEES_ALL = "pg_monitor"

Row = Mapping[str, Any]


def hidden(rows: Iterable[Row]) -> int:
    """Return how many sessions the asking role may not see."""
    return sum(bool(row["is_hidden"]) for row in rows)


def seen(probe: Probe, rows: Sequence[Row], given: Answer, noun: str = "session") -> Answer:
    """Return an answer about sessions (or others), unless it would say that all is well without having seen all.

    Raises:
        Skip: some are hidden, and among the others nothing was found.
    """
    unseen = hidden(rows)
    if unseen and not given.findings:
        reason = _(
            "the work of {unseen} of {things} is hidden from {role}",
            unseen=unseen,
            things=counted(len(rows), noun),
            role=probe.capabilities.role,
        )
        raise Skip(reason, probe.grant(SEES_ALL))
    return given


def left_out(rows: Iterable[Row], noun: str = "session") -> str:
    """Return words for the sessions (or others) that are hidden."""
    unseen = hidden(rows)
    return _("{things} of other roles", things=counted(unseen, noun)) if unseen else ""


def subject_of(row: Row) -> Subject:
    """Return the subject of a session: its process id, its role, its application."""
    who = ", ".join(part for part in (row["role"], row["application"]) if part)
    return Subject("session", name=f"pid {row['pid']} ({who})")


def identity(row: Row) -> tuple[str, ...]:
    """Return what makes it the same session in the next run: process ids change, programs don't."""
    return (row["role"] or "", row["application"] or "")


def terminate(pid: int) -> Fix:
    """Return how to end a session."""
    return fixes.noted(
        "SELECT pg_catalog.pg_terminate_backend({});", sql.Literal(pid), note=_("rolls its transaction back")
    )


def cancel(pid: int) -> Fix:
    """Return how to cancel what a session runs."""
    return fixes.noted(
        "SELECT pg_catalog.pg_cancel_backend({});", sql.Literal(pid), note=_("cancels its statement; the session stays")
    )


@dataclass(frozen=True, kw_only=True)
class Connections(Check):
    """A server that is full refuses everybody, the person who wants to mend it included.

    Counted are clients' connections, against what ordinary roles may open: ``max_connections`` without those that
    are reserved. Limits of the role and of the database count as well.
    """

    id = "connections"
    title = _("There is room for more connections")
    evidence = Evidence.SNAPSHOT
    examines = "limits"
    tags = frozenset({"capacity", "sessions", BEFORE})

    warning_percent: float = 80
    critical_percent: float = 90

    def run(self, probe: Probe) -> Answer:
        """Compare the number of connections with each limit."""
        return self.judge(probe.row())

    def judge(self, row: Row) -> Answer:
        """Judge the server's limit, and those of role and database where they have one."""
        limits = [
            (Subject("setting", name="max_connections"), row["used"], row["usable"]),
            (Subject("role", name=row["role"]), row["role_used"], row["role_limit"]),
            (Subject("database", name=row["database"]), row["database_used"], row["database_limit"]),
        ]
        return answer(self._limit(subject, used, limit) for subject, used, limit in limits if limit > 0)

    def _limit(self, subject: Subject, used: int, limit: int) -> Finding | None:
        limits = self.on(subject)
        share = 100 * used / limit
        severity = grade(share, warning=limits.warning_percent, critical=limits.critical_percent)
        if severity is None:
            return None
        return Finding(
            subject=subject,
            severity=severity,
            observed=_(
                "{used} of {connections} ({share})",
                used=used,
                connections=counted(limit, "usable connection"),
                share=percent(share),
            ),
            threshold=f"{limits.warning_percent:g} %",
            fixes=(
                Fix(
                    FixKind.SQL,
                    "SELECT usename, application_name, state, count(*) FROM pg_stat_activity GROUP BY 1, 2, 3;",
                    _("shows whose they are; a pooler in front of the server needs fewer"),
                ),
            ),
            value=share,
        )


@dataclass(frozen=True, kw_only=True)
class Sessions(Check):
    """What checks that look at each session of this database have in common."""

    evidence = Evidence.SNAPSHOT
    examines = "sessions"
    tags = frozenset({"sessions", BEFORE})
    right = SEES_ALL
    sql: ClassVar[tuple[str, ...]] = ("sessions",)

    def run(self, probe: Probe) -> Answer:
        """Look at the sessions of this database.

        Raises:
            Skip: nothing was found, but sessions of other roles are hidden.
        """
        rows = probe.rows()
        verdicts = answer((self.judge(row) for row in rows if not row["is_hidden"]), left_out=left_out(rows))
        return seen(probe, rows, verdicts)

    def judge(self, row: Row) -> Finding | None:
        """Judge one session."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class IdleInTransaction(Sessions):
    """A transaction that is open while its program does something else holds its locks, and holds up vacuum.

    A migration that needs a table which it has only read waits for it, and everybody else waits behind the migration.
    Mostly it is a program that calls another service within ``atomic()``, or a forgotten psql.
    """

    id = "idle_in_transaction"
    title = _("No transaction is open and idle")

    #: Since the transaction began, not since its last statement.
    warning_seconds: float = 1 * MINUTE
    critical_seconds: float = 10 * MINUTE

    def judge(self, row: Row) -> Finding | None:
        """Judge one session."""
        if row["state"] not in ("idle in transaction", "idle in transaction (aborted)"):
            return None
        subject = subject_of(row)
        limits = self.on(row["role"])
        severity = grade(row["transaction_seconds"], warning=limits.warning_seconds, critical=limits.critical_seconds)
        if severity is None:
            return None
        return Finding(
            subject=subject,
            severity=severity,
            observed=_(
                "transaction open for {time}, idle for {idle}",
                time=span(row["transaction_seconds"]),
                idle=span(row["state_seconds"]),
            ),
            threshold=span(limits.warning_seconds),
            fixes=(terminate(row["pid"]),),
            identity=identity(row),
            value=row["transaction_seconds"],
            details=(f"last statement: {shown(row['query'])}",),
        )


@dataclass(frozen=True, kw_only=True)
class LongRunning(Sessions):
    """A statement that has run for long holds its locks for as long, and keeps vacuum from removing dead rows.

    ``ALTER TABLE`` waits for the slowest report that reads the table. Autovacuum and replication are left out, they
    have checks of their own.
    """

    id = "long_running"
    title = _("No statement runs for long")

    warning_seconds: float = 5 * MINUTE
    critical_seconds: float = 30 * MINUTE

    def judge(self, row: Row) -> Finding | None:
        """Judge one session."""
        if row["state"] not in ("active", "fastpath function call"):
            return None
        subject = subject_of(row)
        limits = self.on(row["role"])
        severity = grade(row["query_seconds"], warning=limits.warning_seconds, critical=limits.critical_seconds)
        if severity is None:
            return None
        return Finding(
            subject=subject,
            severity=severity,
            observed=_("has run for {query_seconds}", query_seconds=span(row["query_seconds"])),
            threshold=span(limits.warning_seconds),
            fixes=(cancel(row["pid"]),),
            identity=identity(row),
            value=row["query_seconds"],
            details=(f"statement: {shown(row['query'])}",),
        )


CHECKS: tuple[type[Check], ...] = (Connections, IdleInTransaction, LongRunning)
