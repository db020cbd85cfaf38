"""Checks of what leaves the server: standbys, slots, subscriptions, archived WAL."""

from __future__ import annotations

from collections.abc import Mapping
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
    Severity,
    Skip,
    Subject,
    answer,
)
from sqlmigrations.health.grading import grade
from sqlmigrations.health.snapshot.sessions import SEES_ALL
from sqlmigrations.health.units import GB, HOUR, MB, MINUTE, percent, size, span
from sqlmigrations.messages import counted, joined
from sqlmigrations.messages import gettext as _

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ReplicaLag(Check):
    """A standby that lags answers with old data, and is behind when it has to take over.

    A migration that rewrites a table writes it to the WAL whole: it makes a lag longer. Time alone says nothing, since
    it grows on an idle server too; a standby lags when it is behind in time and in bytes.
    """

    id = "replica_lag"
    title = _("Standbys keep up")
    evidence = Evidence.SNAPSHOT
    examines = "standbys"
    tags = frozenset({"replication", BEFORE})
    right = SEES_ALL

    warning_seconds: float = 30
    critical_seconds: float = 5 * MINUTE
    #: Less than this is no lag, however old it is.
    min_bytes: int = 16 * MB
    #: More than this is one, however new it is.
    critical_bytes: int = 1 * GB

    def run(self, probe: Probe) -> Answer:
        """Look at the server's standbys, or at the server where it is one itself.

        Raises:
            Skip: there are standbys, but where they are is hidden.
        """
        rows = probe.rows()
        unseen = sum(row["is_hidden"] for row in rows)
        if unseen:
            raise Skip(
                _("where {standbys} got to is hidden", standbys=counted(unseen, "standby", "standbys")),
                probe.grant(SEES_ALL),
            )
        return answer(self.judge(row) for row in rows)

    def judge(self, row: Row) -> Finding | None:
        """Judge one standby."""
        subject = Subject(row["kind"], name=row["name"])
        limits = self.on(subject)
        severity = self._severity(row, limits)
        if severity is None:
            return None
        return Finding(
            subject=subject,
            severity=severity,
            observed=_behind(row),
            threshold=_(
                "{time} and {bytes}, or {most}",
                time=span(limits.warning_seconds),
                bytes=size(limits.min_bytes),
                most=size(limits.critical_bytes),
            ),
            value=row["bytes"],
        )

    def _severity(self, row: Row, limits: ReplicaLag) -> Severity | None:
        if row["state"] in ("paused", "not streaming"):
            return Severity.WARNING
        behind = row["bytes"] or 0
        if behind >= limits.critical_bytes:
            return Severity.CRITICAL
        if behind < limits.min_bytes:
            return None
        return grade(row["seconds"], warning=limits.warning_seconds, critical=limits.critical_seconds)


def _behind(row: Row) -> str:
    far = size(row["bytes"] or 0)
    if row["seconds"] is None:
        return _("{far} behind ({state})", far=far, state=row["state"])
    return _("{far} behind, {time} ({state})", far=far, time=span(row["seconds"]), state=row["state"])


@dataclass(frozen=True, kw_only=True)
class Slots(Check):
    """A replication slot keeps all WAL that its reader has not taken yet, until the disk is full.

    A reader that is gone for good is the common case. ``max_slot_wal_keep_size`` gives up the slot instead of the
    server; then the reader has to be set up anew.
    """

    id = "slots"
    title = _("Replication slots are read")
    evidence = Evidence.SNAPSHOT
    examines = "replication slots"
    tags = frozenset({"replication", "capacity", BEFORE})

    warning_bytes: int = 1 * GB
    critical_bytes: int = 5 * GB
    #: Of max_slot_wal_keep_size, where it is set.
    warning_percent: float = 50
    critical_percent: float = 80

    def run(self, probe: Probe) -> Answer:
        """Look at all slots of the server."""
        return answer(self.judge(row) for row in probe.rows())

    def judge(self, row: Row) -> Finding | None:
        """Judge one slot."""
        subject = Subject("slot", name=row["name"])
        limits = self.on(subject)
        severity = self._severity(row, limits)
        if severity is None:
            return None
        return Finding(
            subject=subject,
            severity=severity,
            observed=_kept(row),
            threshold=_("{share} of {limit}", share=f"{limits.warning_percent:g} %", limit=size(row["limit_bytes"]))
            if row["limit_bytes"]
            else size(limits.warning_bytes),
            fixes=() if row["is_active"] else (_drop_slot(row["name"]),),
            value=row["kept_bytes"],
        )

    def _severity(self, row: Row, limits: Slots) -> Severity | None:
        if row["wal_status"] in ("lost", "unreserved") or row["invalidated"]:
            return Severity.CRITICAL
        kept = row["kept_bytes"]
        if kept is not None and row["limit_bytes"]:
            share = 100 * kept / row["limit_bytes"]
            return grade(share, warning=limits.warning_percent, critical=limits.critical_percent)
        return grade(kept, warning=limits.warning_bytes, critical=limits.critical_bytes)


def _kept(row: Row) -> str:
    if row["wal_status"] == "lost" or row["invalidated"]:
        why = f": {row['invalidated']}" if row["invalidated"] else ""
        return _("its WAL is gone{why}; its reader must begin anew", why=why)
    kept = _("keeps {bytes} of WAL", bytes=size(row["kept_bytes"]))
    if row["limit_bytes"]:
        share = percent(100 * row["kept_bytes"] / row["limit_bytes"])
        kept = _("{kept} ({share} of what it may)", kept=kept, share=share)
    return joined(", ", [kept, _read(row)])


def _read(row: Row) -> str:
    if row["is_active"]:
        return _("is read")
    if row["inactive_seconds"] is None:
        return _("nobody reads it")
    return _("nobody reads it for {time}", time=span(row["inactive_seconds"]))


def _drop_slot(name: str) -> Fix:
    return fixes.noted(
        "SELECT pg_catalog.pg_drop_replication_slot({});",
        sql.Literal(name),
        note=_("only when its reader never comes back: it has to be set up anew afterwards"),
    )


@dataclass(frozen=True, kw_only=True)
class SubscriptionErrors(Check):
    """A subscription that fails tries again for ever, and lags further with each time.

    The usual reasons are a row that is there already, a column that is missing after a migration on one side, and a
    table that nobody has taken in (``ALTER SUBSCRIPTION ... REFRESH PUBLICATION``).
    """

    id = "subscription_errors"
    title = _("Subscriptions apply what they receive")
    evidence = Evidence.SNAPSHOT
    examines = "subscriptions"
    tags = frozenset({"replication", BEFORE})
    sql: ClassVar[tuple[str, ...]] = ("subscription_errors", "subscription_errors_14")

    def run(self, probe: Probe) -> Answer:
        """Look at the subscriptions of this database."""
        counted_by_server = probe.capabilities.has("pg_stat_subscription_stats")
        return answer(self.judge(row) for row in probe.rows("" if counted_by_server else "subscription_errors_14"))

    def judge(self, row: Row) -> Finding | None:
        """Judge one subscription."""
        troubles = _troubles(row)
        if not troubles:
            return None
        return Finding(
            subject=Subject("subscription", name=row["name"]),
            severity=Severity.WARNING if row["is_enabled"] and row["is_at_work"] else Severity.CRITICAL,
            observed=joined(", ", troubles),
            threshold=_("enabled, at work, no error"),
            fixes=_resume(row),
            value=row["apply_errors"] + row["sync_errors"],
        )


def _troubles(row: Row) -> list[str]:
    """Return what is wrong with a subscription, the worst first."""
    found: list[str] = []
    if not row["is_enabled"]:
        found.append(_("disabled"))
    elif not row["is_at_work"]:
        found.append(_("no worker is at work"))
    for count, noun in ((row["apply_errors"], "error"), (row["sync_errors"], "error of the first copy")):
        if count:
            found.append(counted(count, noun, noun.replace("error", "errors", 1)))
    if row["conflicts"]:
        found.append(counted(row["conflicts"], "conflict"))
    if row["unready"]:
        found.append(_("not in step yet: {tables}", tables=", ".join(row["unready"])))
    return found


def _resume(row: Row) -> tuple[Fix, ...]:
    if row["is_enabled"]:
        return (
            Fix(FixKind.SQL, "SELECT * FROM pg_stat_subscription_stats;", _("the server's log has each error's words")),
        )
    return (
        fixes.noted("ALTER SUBSCRIPTION {} ENABLE;", sql.Identifier(row["name"]), note=_("once its error is mended")),
    )


@dataclass(frozen=True, kw_only=True)
class Archiver(Check):
    """Without an unbroken chain of archived WAL a base backup is worth the moment that it was taken at, no more.

    While archiving fails, the server keeps all WAL until the disk is full. An old last success alone is no fault: a
    server on which nothing is written archives nothing.
    """

    id = "archiver"
    title = _("WAL is archived")
    evidence = Evidence.SNAPSHOT
    examines = "archivers"
    tags = frozenset({"backup", "replication", BEFORE})

    #: Since the last success, while it fails.
    critical_seconds: float = 1 * HOUR

    def run(self, probe: Probe) -> Answer:
        """Compare the last success with the last failure; where archiving is off, there is nothing to compare."""
        row = probe.row()
        if not row["is_on"]:
            return Answer(0)
        return answer([self.judge(row)])

    def judge(self, row: Row) -> Finding | None:
        """Judge the archiver."""
        if not row["is_failing"]:
            return None
        never = row["archived_seconds"] is None
        since = _("never worked") if never else _("last worked {time} ago", time=span(row["archived_seconds"]))
        is_long = never or row["archived_seconds"] >= self.critical_seconds
        return Finding(
            subject=Subject("setting", name="archive_command"),
            severity=Severity.CRITICAL if is_long else Severity.WARNING,
            observed=_("fails on {file}, {since}", file=row["last_failed_wal"], since=since),
            threshold=_("the last attempt succeeded"),
            fixes=(
                Fix(FixKind.SQL, "SHOW archive_command;", _("what it said is in the server's log")),
                Fix(FixKind.SQL, "SELECT * FROM pg_stat_archiver;"),
            ),
            value=row["failed_count"],
        )


CHECKS: tuple[type[Check], ...] = (ReplicaLag, Slots, SubscriptionErrors, Archiver)
