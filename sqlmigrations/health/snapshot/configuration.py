"""Checks of how the server is set up: what loses data, what hides what is slow, what has come to its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg import errors, sql

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
from sqlmigrations.health.units import DAY
from sqlmigrations.messages import counted
from sqlmigrations.messages import gettext as _

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """A value of a setting that is found fault with, what it does, and what is better."""

    name: str
    bad: str
    severity: Severity
    means: str
    better: str


#: https://www.postgresql.org/docs/current/runtime-config.html
RULES: tuple[Rule, ...] = (
    Rule("fsync", "off", Severity.CRITICAL, _("a crash may destroy the whole database"), "on"),
    Rule("full_page_writes", "off", Severity.CRITICAL, _("a crash may leave pages that are half old, half new"), "on"),
    Rule("zero_damaged_pages", "on", Severity.CRITICAL, _("damaged pages are emptied without a word"), "off"),
    Rule("ignore_checksum_failure", "on", Severity.CRITICAL, _("damaged pages are read as if they weren't"), "off"),
    Rule("ignore_invalid_pages", "on", Severity.CRITICAL, _("recovery passes over what it can't mend"), "off"),
    Rule("synchronous_commit", "off", Severity.WARNING, _("a crash forgets what was committed a moment before"), "on"),
    Rule("password_encryption", "md5", Severity.WARNING, _("new passwords are stored with MD5"), "scram-sha-256"),
    Rule("data_checksums", "off", Severity.INFO, _("nobody notices when the disk changes a page"), "on"),
    Rule("log_lock_waits", "off", Severity.INFO, _("the log doesn't tell who waited for whom"), "on"),
    Rule("track_io_timing", "off", Severity.INFO, _("nothing tells how long a query waited for the disk"), "on"),
)

#: Any of them, when it isn't -1, has slow queries logged.
SLOW_QUERY_LOGS = ("log_min_duration_statement", "log_min_duration_sample", "auto_explain.log_min_duration")


@dataclass(frozen=True, kw_only=True)
class ServerSettings(Check):
    """Some settings trade away data for speed, and some keep the server silent about what goes wrong.

    Told are the values that lose or hide damage, a server that logs no slow query at all (neither by
    ``log_min_duration_statement`` nor by auto_explain), and settings that were changed but wait for a restart.
    """

    id = "settings"
    title = _("No setting loses data or hides what is slow")
    evidence = Evidence.SNAPSHOT
    examines = "settings"
    tags = frozenset({"settings"})

    def run(self, probe: Probe) -> Answer:
        """Look at the values that a new session begins with."""
        return self.judge({row["name"]: row for row in probe.rows()})

    def judge(self, rows: Mapping[str, Row]) -> Answer:
        """Judge the settings by name."""
        found = [_broken(rule, rows[rule.name]) for rule in RULES if rule.name in rows]
        if any(name in rows for name in SLOW_QUERY_LOGS):
            found.append(_silent(rows))
        found += [_pending(row) for row in rows.values() if row["pending_restart"]]
        return answer(found)


def _broken(rule: Rule, row: Row) -> Finding | None:
    if row["value"] != rule.bad:
        return None
    return Finding(
        subject=Subject("setting", name=rule.name),
        severity=rule.severity,
        observed=_("{value}: {means}", value=row["value"], means=rule.means),
        threshold=rule.better,
        fixes=(_set(rule.name, rule.better, needs_restart=row["needs_restart"]),),
    )


def _silent(rows: Mapping[str, Row]) -> Finding | None:
    if any(rows[name]["value"] != "-1" for name in SLOW_QUERY_LOGS if name in rows):
        return None
    return Finding(
        subject=Subject("setting", name="log_min_duration_statement"),
        severity=Severity.WARNING,
        observed=_("-1: no slow query is logged, and auto_explain isn't loaded"),
        threshold=_("a time"),
        fixes=(_set("log_min_duration_statement", "1s", needs_restart=False),),
    )


def _pending(row: Row) -> Finding:
    return Finding(
        subject=Subject("setting", name=row["name"]),
        severity=Severity.INFO,
        observed=_("was changed in the configuration, and waits for a restart"),
        threshold=_("in force"),
        identity=(row["name"], "restart"),
    )


def _set(name: str, value: str, *, needs_restart: bool) -> Fix:
    """Return how to set a setting of the server."""
    if name == "data_checksums":
        return Fix(
            FixKind.SHELL, "pg_checksums --enable", _("while the server is stopped; reads and writes every page")
        )
    return fixes.noted(
        "ALTER SYSTEM SET {} = {};",
        sql.Identifier(*name.split(".")),
        sql.Literal(value),
        note=_("then restart the server") if needs_restart else _("then SELECT pg_reload_conf();"),
    )


#: Timeouts: what happens without one, a value to begin with, and how bad it is to have none.
TIMEOUTS: Mapping[str, tuple[str, str, Severity]] = {
    "statement_timeout": (_("a statement may run for ever"), "30s", Severity.WARNING),
    "idle_in_transaction_session_timeout": (_("a forgotten transaction holds its locks"), "60s", Severity.WARNING),
    "lock_timeout": (_("a statement may wait for a lock for ever"), "10s", Severity.INFO),
    "transaction_timeout": (_("a transaction may last for ever"), "5min", Severity.INFO),
}


@dataclass(frozen=True, kw_only=True)
class SessionTimeouts(Check):
    """The application's role should end by itself what nobody waits for any more.

    A request that its web server has given up goes on in the database; a transaction that was forgotten keeps its
    locks. Looked at are the values that a session of the alias begins with, wherever they were set: on the server,
    the database, the role, or in ``OPTIONS`` of Django's settings.
    """

    id = "session_timeouts"
    title = _("The application's sessions end what takes too long")
    evidence = Evidence.SNAPSHOT
    examines = "timeouts"
    tags = frozenset({"settings", "sessions"})

    def run(self, probe: Probe) -> Answer:
        """Look at the timeouts that the server knows."""
        return answer(self.judge(row) for row in probe.rows())

    def judge(self, row: Row) -> Finding | None:
        """Judge one timeout; 0 means that there is none."""
        if row["milliseconds"]:
            return None
        means, value, severity = TIMEOUTS[row["name"]]
        fix = fixes.noted(
            "ALTER ROLE {} IN DATABASE {} SET {} = {};",
            sql.Identifier(row["role"]),
            sql.Identifier(row["database"]),
            sql.Identifier(row["name"]),
            sql.Literal(value),
            note=_("for new sessions; what has to take longer sets its own"),
        )
        return Finding(
            subject=Subject("setting", name=row["name"]),
            severity=severity,
            observed=_("not set for {role}: {means}", role=row["role"], means=means),
            threshold=_("a time"),
            fixes=(fix,),
        )


#: The day of the last release of each major version: https://www.postgresql.org/support/versioning/
LAST_RELEASES: Mapping[int, date] = {
    13: date(2025, 11, 13),
    14: date(2026, 11, 12),
    15: date(2027, 11, 11),
    16: date(2028, 11, 9),
    17: date(2029, 11, 8),
    18: date(2030, 11, 14),
}


@dataclass(frozen=True, kw_only=True)
class EndOfLife(Check):
    """A major version of PostgreSQL gets corrections for five years, and none for data loss or security after that.

    Whether the newest minor version runs is not judged: the server doesn't know of it.
    """

    id = "end_of_life"
    title = _("The server's version still gets corrections")
    evidence = Evidence.SNAPSHOT
    examines = "servers"
    tags = frozenset({"settings"})

    #: Before the day of the last release.
    warning_seconds: float = 180 * DAY

    def run(self, probe: Probe) -> Answer:
        """Compare the server's version with the calendar."""
        return answer([self.judge(probe.row())])

    def judge(self, row: Row) -> Finding | None:
        """Judge the server; one that is newer than the calendar has time."""
        oldest, newest = min(LAST_RELEASES), max(LAST_RELEASES)
        if row["major"] > newest:
            return None
        end = LAST_RELEASES[max(row["major"], oldest)]
        days = (end - row["today"]).days
        if days * DAY > self.warning_seconds:
            return None
        return Finding(
            subject=Subject("server", name=f"PostgreSQL {row['major']}"),
            severity=Severity.CRITICAL if days < 0 else Severity.WARNING,
            observed=_("{version}: its last release was on {end}", version=row["version"], end=end)
            if days < 0
            else _(
                "{version}: its last release comes on {end}, in {days}",
                version=row["version"],
                end=end,
                days=counted(days, "day"),
            ),
            threshold=_("a version that is supported for {days:.0f} more days", days=self.warning_seconds / DAY),
            fixes=(
                Fix(
                    FixKind.SHELL,
                    "pg_upgrade",
                    _("to PostgreSQL {newest}; then manage.py validateschema", newest=newest),
                ),
            ),
            value=days,
        )


@dataclass(frozen=True, kw_only=True)
class StatisticsLost(Check):
    """After an upgrade the planner may know nothing of any table, and every plan is a guess.

    ``pg_upgrade`` leaves the statistics behind up to version 17, from 18 on only the extended ones. A dump and restore
    leaves all of them.
    """

    id = "stats_lost_after_upgrade"
    title = _("The planner has statistics")
    evidence = Evidence.SNAPSHOT
    examines = "tables and extended statistics"
    tags = frozenset({"performance", "vacuum", BEFORE})
    right = "pg_read_all_data"

    #: Smaller tables get by without.
    min_rows: int = 1000

    def run(self, probe: Probe) -> Answer:
        """Look at tables with rows, and at the extended statistics on them.

        Raises:
            Skip: nothing was found, but the statistics of some tables are hidden.
        """
        rows = probe.rows()
        readable = [row for row in rows if row["is_readable"]]
        unseen = len(rows) - len(readable)
        given = answer(
            (self.judge(row) for row in readable),
            left_out=_("{unseen} that may not be read", unseen=unseen) if unseen else "",
        )
        if unseen and not given.findings:
            reason = _(
                "the statistics of tables, or extended ones, are hidden: {unseen} of {total}",
                unseen=unseen,
                total=len(rows),
            )
            raise Skip(reason, probe.grant(self.right))
        return given

    def judge(self, row: Row) -> Finding | None:
        """Judge one table, or one of its extended statistics."""
        subject = Subject.of(row["kind"], row)
        if row["has_statistics"] or row["rows"] < self.on(subject).min_rows:
            return None
        fix = fixes.noted(
            "ANALYZE {};",
            sql.Identifier(row["table_schema"], row["table"]),
            note=_("takes ShareUpdateExclusive, reads and writes go on; all tables: vacuumdb --analyze-in-stages"),
        )
        return Finding(
            subject=subject,
            severity=Severity.WARNING,
            observed=_("none, of {rows}", rows=counted(row["rows"], "row")),
            threshold=_("analysed"),
            fixes=(fix,),
            value=row["rows"],
        )


@dataclass(frozen=True, kw_only=True)
class HostAuthentication(Check):
    """``pg_hba.conf`` decides who gets in, and how: ``trust`` lets anybody in who reaches the server, as any role.

    ``password`` sends the password as it is, which TLS alone hides. ``md5`` can be broken and is on its way out;
    ``scram-sha-256`` takes its place. Rules for the machine itself are left alone.
    """

    id = "host_authentication"
    title = _("Nobody gets in without a proof")
    evidence = Evidence.SNAPSHOT
    examines = "rules of pg_hba.conf"
    tags = frozenset({"security", "settings"})

    def run(self, probe: Probe) -> Answer:
        """Look at all rules of the file.

        Raises:
            Skip: this role may not read them.
        """
        try:
            rows = probe.rows()
        except errors.InsufficientPrivilege as error:
            role = sql.Identifier(probe.capabilities.role)
            grants = (
                "GRANT SELECT ON pg_catalog.pg_hba_file_rules TO {0}; "
                "GRANT EXECUTE ON FUNCTION pg_catalog.pg_hba_file_rules() TO {0};"
            )
            raise Skip(_("pg_hba.conf may not be read"), sql.SQL(grants).format(role).as_string()) from error
        return answer(self.judge(row) for row in rows)

    def judge(self, row: Row) -> Finding | None:
        """Judge one rule."""
        if row["error"]:
            return _rule(
                row,
                Severity.WARNING,
                _("the server can't read it: {error}", error=row["error"]),
                _("a rule that it can read"),
            )
        known = _METHODS.get(row["method"])
        if known is None or row["type"] == "local" or row["address"] in _OWN_MACHINE:
            return None
        severity, means = known
        where = f"{row['type']} {row['databases']} {row['roles']} {row['address']}".strip()
        return _rule(
            row,
            severity,
            _("{rule}: {method}, {means}", rule=where, method=row["method"], means=means),
            _("scram-sha-256 or cert"),
        )


#: Methods that are found fault with, and what they do.
_METHODS = {
    "trust": (Severity.WARNING, _("which asks for no password")),
    "password": (Severity.WARNING, _("which sends the password as it is")),
    "md5": (Severity.INFO, _("which can be broken")),
}

_OWN_MACHINE = ("127.0.0.1", "::1", "localhost", "samehost")


def _rule(row: Row, severity: Severity, observed: str, threshold: str) -> Finding:
    fix = Fix(FixKind.SHELL, "pg_hba.conf", _("change the line, then SELECT pg_reload_conf();"))
    return Finding(
        subject=Subject("rule", name=f"pg_hba.conf line {row['line']}"),
        severity=severity,
        observed=observed,
        threshold=threshold,
        fixes=(fix,),
        identity=(row["type"], row["databases"], row["roles"], row["address"], row["method"]),
    )


CHECKS: tuple[type[Check], ...] = (ServerSettings, SessionTimeouts, HostAuthentication, EndOfLife, StatisticsLost)
