"""A look at a database's health, as text: worst first, one line for each check, then what was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.management.color import Style

from sqlmigrations.health.base import (
    Check,
    Finding,
    FixKind,
    Result,
    Severity,
    Status,
)
from sqlmigrations.health.trends import SLOWER_MS, SLOWER_TIMES, TOLD, FileTime, Trends
from sqlmigrations.health.units import DAY, MB, quick, size, span
from sqlmigrations.messages import counted

if TYPE_CHECKING:
    from sqlmigrations.service.gate import GateReport
    from sqlmigrations.service.health import HealthReport

#: How many findings of one check are shown before the others are only counted.
SHOWN = 5

#: How many sequences and tables are told of those that go somewhere.
TREND_LINES = 3

#: What ends later, and what grows or shrinks less in a day, is not told.
FAR_SECONDS = 10 * 365 * DAY
MUCH_BYTES = 1 * MB

#: The bar of each status: told apart by its shape, whatever the colours.
_BARS = {Status.CRITICAL: "[!!]", Status.WARNING: "[! ]", Status.SKIPPED: "[--]", Status.OK: "[ok]"}

#: Severities behind a number other than 1.
_MANY = {Severity.CRITICAL: "critical", Severity.WARNING: "warnings", Severity.INFO: "info"}

_KINDS = {FixKind.DJANGO: "Django", FixKind.SQL: "SQL", FixKind.SETTING: "settings", FixKind.SHELL: "shell"}


@dataclass(frozen=True, slots=True)
class HealthText:
    """Words a report. ``verbosity`` 0 leaves out what is well, 2 shows all findings and the times."""

    style: Style
    verbosity: int = 1

    def lines(self, report: HealthReport) -> Iterator[str]:
        """Yield the report."""
        yield self.style.MIGRATE_HEADING(f"Health of database {report.database}:")
        yield from self._bars(report)
        for result in report.results:
            if result.findings:
                yield ""
                yield from self._details(result)
        yield from self._trends(report.trends)
        yield ""
        yield from self._closing(report)

    def _bars(self, report: HealthReport) -> Iterator[str]:
        """Yield a line for each check that has something to say, and count the others."""
        for result in report.results:
            if self.verbosity >= 2 or result.findings or result.is_blind:
                yield f"  {self._bar(result)}"
        if self.verbosity != 1:
            return
        well = [result for result in report.results if result.status is Status.OK and not result.findings]
        if well:
            bar = self._paint(Status.OK)(_BARS[Status.OK])
            yield f"  {bar} {counted(len(well), 'check')} found nothing (-v 2 names them)"
        nothing = [result for result in report.results if not result.applies]
        if nothing:
            yield f"  {_BARS[Status.SKIPPED]} {counted(len(nothing), 'check')} had nothing to examine (-v 2 names them)"

    def _bar(self, result: Result) -> str:
        bar = self._paint(result.status)(_BARS[result.status])
        words = f"{bar} {result.check.title} ({result.check.id}): {self._summary(result)}"
        return f"{words} in {result.duration_ms:.0f} ms" if self.verbosity >= 2 else words

    def _summary(self, result: Result) -> str:
        if result.status is Status.SKIPPED:
            return f"skipped, {result.reason}" + (f". {result.remedy}" if result.remedy else "")
        counts = Counter(finding.severity for finding in result.findings)
        found = ", ".join(
            counted(counts[severity], severity, _MANY[severity]) for severity in reversed(Severity) if counts[severity]
        )
        parts = [
            f"{found or 'nothing'} among {examined(result)}",
            *([f"within {span(result.window.total_seconds())}"] if result.window else []),
            *([f"left out: {result.left_out}"] if result.left_out else []),
            *([f"{result.ignored} ignored"] if result.ignored else []),
        ]
        return "; ".join(parts)

    def _details(self, result: Result) -> Iterator[str]:
        yield self.style.MIGRATE_LABEL(result.check.id)
        shown = result.findings if self.verbosity >= 2 else result.findings[:SHOWN]
        for finding in shown:
            yield from self.finding(finding)
        if len(shown) < len(result.findings):
            yield f"  +{len(result.findings) - len(shown):,} more of this kind (-v 2 shows them)"

    def finding(self, finding: Finding, check: str = "") -> Iterator[str]:
        """Yield a finding, where it came from, and its fixes; ``check`` names it where no heading does."""
        named = f" ({check})" if check else ""
        paint = self._paint(_STATUS[finding.severity])
        known = " (known)" if finding.is_known else ""
        wanted = f"; should be: {finding.threshold}" if finding.threshold else ""
        yield f"  {paint(finding.severity)} {finding.subject}: {finding.observed}{wanted}{known}{named}"
        if finding.origin is not None:
            line = f":{finding.origin.line}" if finding.origin.line else ""
            yield f"    from {finding.origin.file}{line}"
        for detail in finding.details:
            yield f"    {detail}"
        for fix in finding.fixes:
            yield f"    {_KINDS[fix.kind]}: {self.style.SQL_KEYWORD(fix.text)}"
            if fix.note:
                yield f"      {fix.note}"

    def _trends(self, trends: Trends) -> Iterator[str]:
        """Yield where the database is going: the nearest ends, what grows most, files that take longer than before."""
        lines = [*self._since(trends), *(_file_line(file) for file in self._files(trends))]
        if lines:
            yield ""
            yield self.style.MIGRATE_LABEL("Over time")
            yield from (f"  {line}" for line in lines)

    def _since(self, trends: Trends) -> Iterator[str]:
        """Yield what two moments tell."""
        if trends.since is None or trends.until is None:
            return
        passed = span((trends.until - trends.since).total_seconds())
        yield f"in the last {passed}; {counted(trends.runs, 'earlier run')} kept"
        yield f"database: {size(trends.bytes)}, {_growth(trends.bytes_per_second)}"
        for ids in trends.ids:
            left = f", {span(ids.seconds_left)} to a standstill if none is frozen" if ids.seconds_left else ""
            yield f"{ids.kind}: {ids.per_second * DAY:,.0f} a day{left}"
        most = None if self.verbosity >= 2 else TREND_LINES
        for sequence in [each for each in trends.sequences if (each.seconds_left or 0) < FAR_SECONDS][:most]:
            yield (
                f"sequence {sequence.schema}.{sequence.name}: {abs(sequence.per_second) * DAY:,.0f} a day"
                f", lasts {span(sequence.seconds_left or 0)}"
            )
        for table in [each for each in trends.tables if abs(each.per_second) * DAY >= MUCH_BYTES][:most]:
            yield f"table {table.schema}.{table.name}: {size(table.bytes)}, {_growth(table.per_second)}"

    def _files(self, trends: Trends) -> Sequence[FileTime]:
        """Return the files to be told: all that took long, or those that took longer than before."""
        return trends.files[:TOLD] if self.verbosity >= 2 else trends.slower

    def across(self, reports: Sequence[HealthReport]) -> Iterator[str]:
        """Yield the files that took much longer on one database than on another."""
        times: dict[str, dict[str, FileTime]] = {}
        for report in reports:
            for file in report.trends.files:
                times.setdefault(file.name, {})[report.database] = file
        apart = [(name, each) for name, each in times.items() if _are_apart([file.last_ms for file in each.values()])]
        if apart:
            yield self.style.MIGRATE_LABEL("Files that took longer on one database than on another")
            for name, each in apart[: TOLD if self.verbosity >= 2 else SHOWN]:
                took = ", ".join(f"{alias} {quick(file.last_ms / 1000)}" for alias, file in each.items())
                yield f"  {name}: {took}"
            yield ""

    def _closing(self, report: HealthReport) -> Iterator[str]:
        counts = ", ".join(f"{count} {status}" for status, count in report.summary.items() if count)
        yield f"{counted(len(report.results), 'check')}: {counts}."
        if report.is_kept:
            yield "The numbers of this run are kept."
        known = sum(finding.is_known for result in report.results for finding in result.findings)
        if known or report.gone:
            yield f"Compared with the known ones: {known} known, {len(report.gone)} gone."

    def _paint(self, status: Status) -> Callable[[str], str]:
        paints: dict[Status, Callable[[str], str]] = {
            Status.CRITICAL: self.style.ERROR,
            Status.WARNING: self.style.WARNING,
            Status.SKIPPED: self.style.NOTICE,
            Status.OK: self.style.SUCCESS,
        }
        return paints[status]


#: What checks examine, when it is just one.
ONE = {
    "B-tree indexes": "B-tree index",
    "B-tree indexes and tables": "B-tree index or table",
    "JSONB columns": "JSONB column",
    "aliases": "alias",
    "archivers": "archiver",
    "collations in use that have a version": "collation in use that has a version",
    "columns of foreign keys": "column of a foreign key",
    "columns that point at other tables": "column that points at another table",
    "constraints": "constraint",
    "databases": "database",
    "databases and tables": "database or table",
    "databases whose pages have checksums": "database whose pages have checksums",
    "extensions": "extension",
    "foreign keys": "foreign key",
    "indexes": "index",
    "kinds of conflicts": "kind of conflict",
    "kinds of pages": "kind of page",
    "limits": "limit",
    "materialized views": "materialized view",
    "names": "name",
    "pools": "pool",
    "primary keys narrower than bigint": "primary key narrower than bigint",
    "published tables": "published table",
    "replication slots": "replication slot",
    "rules of pg_hba.conf": "rule of pg_hba.conf",
    "schemas": "schema",
    "sequences": "sequence",
    "servers": "server",
    "sessions": "session",
    "settings": "setting",
    "settings and tables": "setting or table",
    "standbys": "standby",
    "statements": "statement",
    "subscriptions": "subscription",
    "tables": "table",
    "tables and extended statistics": "table or extended statistics",
    "timeouts": "timeout",
    "transactions, slots and standbys": "transaction, slot or standby",
    "triggers": "trigger",
}


def examined(result: Result) -> str:
    """Return how many things a check examined, and what they are; one of somebody's own has only the plural."""
    many = result.check.examines
    return counted(result.examined, ONE.get(many, many), many)


def _growth(per_second: float) -> str:
    """Return how fast something grows or shrinks, as people read it: ``"+1.2 GB a day"``."""
    sign = "-" if per_second < 0 else "+"
    return f"{sign}{size(abs(per_second) * DAY)} a day"


def _are_apart(milliseconds: Sequence[float]) -> bool:
    """Say whether the longest of some times is much longer than the shortest."""
    least, most = min(milliseconds), max(milliseconds)
    return most >= SLOWER_TIMES * least and most - least >= SLOWER_MS


def _file_line(file: FileTime) -> str:
    """Return how long a file took: at last, before, and which statement of it took longest."""
    before = f", {quick(file.median_ms / 1000)} before" if file.median_ms is not None else ""
    slowest = f"; line {file.line}: {quick(file.statement_ms / 1000)}" if file.line and file.statement_ms else ""
    return f"file {file.name}: {quick(file.last_ms / 1000)}{before} ({counted(file.times, 'time')}){slowest}"


def gate_lines(gate: GateReport, style: Style) -> Iterator[str]:
    """Yield what a run changed in the database's health."""
    text = HealthText(style)
    if not gate.new:
        yield f"Health: {style.SUCCESS('nothing new')}, {len(gate.gone)} gone."
        return
    yield f"Health: {counted(len(gate.new), 'new finding')}, {len(gate.gone)} gone."
    for check, finding in gate.new:
        yield from text.finding(finding, check)


_STATUS = {Severity.CRITICAL: Status.CRITICAL, Severity.WARNING: Status.WARNING, Severity.INFO: Status.OK}


def list_lines(checks: Iterable[Check]) -> Iterator[str]:
    """Yield one line for each check."""
    known = list(checks)
    width = max(len(check.id) for check in known)
    for check in known:
        marks = [str(check.evidence), *sorted(check.tags), *(["only when asked for"] if check.opt_in else [])]
        yield f"{check.id:<{width}}  {check.title} ({', '.join(marks)})"


def explanation_lines(check: Check, style: Style) -> Iterator[str]:
    """Yield what a check looks for, why, and what it can be told."""
    yield style.MIGRATE_HEADING(f"{check.id}: {check.title}")
    yield ""
    yield from check.explanation().replace("``", "`").splitlines()
    yield ""
    yield f"Evidence: {check.evidence}. Examines {check.examines}."
    if check.tags:
        yield f"Tags: {', '.join(sorted(check.tags))}."
    if check.right:
        yield f"Needs: {check.right}, where the objects are not the role's own."
    if check.opt_in:
        yield f"Runs only when asked for: --only {check.id}, or SQLMIGRATIONS_HEALTH = {{'enabled': ['{check.id}']}}."
    for name in check.thresholds():
        yield f"Threshold {name}: {getattr(check, name):,.15g}"
    for name in check.options():
        # Not the value: a connection string may hold a password.
        yield f"Option {name}: {'set' if getattr(check, name) else 'not set'}"
    for name in check.sql_files():
        yield f"SQL: {name}.sql (--sql shows it)"


#: The statements that a check's SQL begins with: no name of anybody's stands in the way of the catalog's. The views of
#: pg_stat_statements are where the extension is.
EMPTY_PATH = "SET search_path = '';"
STATEMENTS_PATH = (
    "SELECT pg_catalog.set_config('search_path', extnamespace::pg_catalog.regnamespace::pg_catalog.text, false)\n"
    "FROM pg_catalog.pg_extension WHERE extname = 'pg_stat_statements';"
)


def sql_lines(check: Check) -> Iterator[str]:
    """Yield a check's SQL, ready to be pasted into psql."""
    texts = check.sql_files()
    if not texts:
        yield "-- It has no SQL of its own."
    for name, text in texts.items():
        yield f"-- {name}.sql"
        yield STATEMENTS_PATH if "FROM pg_stat_statements" in text else EMPTY_PATH
        yield ""
        yield text.rstrip()
        yield ""
