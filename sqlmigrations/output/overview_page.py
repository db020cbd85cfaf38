"""What the overview in the admin shows, worked out from what is known of one database.

Pure: reads no database and decides what belongs where; templates only lay it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from sqlmigrations.health.base import Finding
from sqlmigrations.health.base import Severity as HealthSeverity
from sqlmigrations.health.base import Status as HealthStatus
from sqlmigrations.lint.base import Finding as LintFinding
from sqlmigrations.models import EventType
from sqlmigrations.output.badges import badge
from sqlmigrations.output.charts import Column, columns
from sqlmigrations.output.durations import duration
from sqlmigrations.plan import Status, Step
from sqlmigrations.schema.difference import Difference, Severity, Source
from sqlmigrations.service.health import HealthReport
from sqlmigrations.service.overview import Day, Execution, Overview

#: Differences and findings that the overview names; a link leads to all of them.
WORST = 3

#: States of files that are told together, in the order of the tiles.
_TILES: Mapping[str, tuple[Status, ...]] = {
    "applied": (Status.APPLIED, Status.BASELINED),
    "pending": (Status.PENDING,),
    "held": (Status.HELD,),
    "late": (Status.LATE,),
    "failed": (Status.FAILED, Status.PARTIAL, Status.IN_DOUBT),
    "changed": (Status.CHANGED, Status.MISSING),
}

#: Statuses of a plan that look like a record's state.
_TONES = {
    "failed": "bad",
    "changed": "bad",
    "late": "warn",
    "held": "warn",
    "pending": "calm",
    "applied": "good",
}


@dataclass(frozen=True, slots=True)
class Tile:
    """A number with its word; quiet where it is 0."""

    key: str
    word: str
    count: int
    tone: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the database is, in one sentence, and what that rests on."""

    tone: str
    word: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file that is not applied: why, and its place in the order."""

    number: int
    name: str
    badge: SafeString
    reason: str
    dangers: list[tuple[SafeString, LintFinding]]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table with a bar in it."""

    id: int
    name: str
    duration: str
    width: float


@dataclass(frozen=True, slots=True)
class Page:
    """All of it."""

    verdict: Verdict
    tiles: list[Tile]
    waiting: list[Waiting]
    severities: list[tuple[SafeString, int]]
    worst: list[tuple[SafeString, Difference]]
    more: int
    days: list[Day]
    day_columns: list[Column]
    executions: int
    latest: list[Row]
    latest_columns: list[Column]
    slowest: list[Row]
    run_took: str
    run_counts: list[SafeString]


def page_of(overview: Overview) -> Page:
    """Return the page of one database."""
    run = overview.last_run
    return Page(
        verdict=_verdict(overview),
        tiles=_tiles(overview),
        waiting=_waiting(overview),
        severities=[(severity_badge(severity), count) for severity, count in overview.severities.items() if count],
        worst=[(severity_badge(difference.severity), difference) for difference in overview.differences[:WORST]],
        more=max(len(overview.differences) - WORST, 0),
        days=[day for day in overview.days if day.applied or day.failed],
        day_columns=columns([_of_day(day) for day in overview.days]),
        executions=sum(day.applied + day.failed for day in overview.days),
        latest=_rows(overview.latest),
        latest_columns=columns([_of_execution(execution) for execution in overview.latest]),
        slowest=_rows(overview.slowest),
        run_took=duration(run.duration_ms) if run else "",
        run_counts=[
            badge(type, f"{count} {_word_of(type)}")
            for type, count in (run.counts.items() if run else ())
            if type != "started"
        ],
    )


# How it is


def _verdict(overview: Overview) -> Verdict:
    """Say how the database is: as bad as the worst that is known of it."""
    wrong = (Status.FAILED, Status.PARTIAL, Status.IN_DOUBT, Status.LATE)
    errors = overview.severities[Severity.ERROR] + sum(overview.counts.get(status, 0) for status in wrong)
    if overview.problem is not None:
        return Verdict("bad", _("Not readable"), _("The SQL files can't be read as they are: no plan can be made."))
    if not overview.chain.is_intact:
        return Verdict("bad", _("Chain broken"), _("The history was altered: an event doesn't fit the one before it."))
    if errors:
        sentence = ngettext(
            "%(count)s thing is not as it should be.", "%(count)s things are not as they should be.", errors
        )
        return Verdict("bad", _("Needs attention"), sentence % {"count": errors})
    waiting = sum(overview.counts.get(status, 0) for status in (Status.PENDING, Status.HELD))
    if waiting:
        sentence = ngettext("%(count)s file waits to be applied.", "%(count)s files wait to be applied.", waiting)
        return Verdict("warn", _("Pending"), sentence % {"count": waiting})
    if overview.differences:
        found = len(overview.differences)
        sentence = ngettext("%(count)s difference deserves a look.", "%(count)s differences deserve a look.", found)
        return Verdict("warn", _("Drift"), sentence % {"count": found})
    if not overview.counts.get(Status.APPLIED):
        return Verdict("calm", _("Empty"), _("Nothing has been applied to this database, and nothing is pending."))
    if overview.schema == "moved":
        sentence = _("All files are applied. The schema was touched since the last run; compare it to be sure.")
        return Verdict("warn", _("Touched"), sentence)
    if overview.schema == "unknown":
        return Verdict("good", _("All applied"), _("All files are applied. No version of the schema is kept yet."))
    return Verdict("good", _("As it should be"), _("All files are applied, and the schema is what the last run left."))


def _tiles(overview: Overview) -> list[Tile]:
    tiles = []
    for key, statuses in _TILES.items():
        count = sum(overview.counts.get(status, 0) for status in statuses)
        tiles.append(Tile(key, status_word(key), count, _TONES[key] if count else "none"))
    return tiles


def status_word(status: str) -> str:
    """Return a plan's status in the page's language."""
    words = {
        "applied": _("applied"),
        "failed": _("failed"),
        "held": _("held"),
        "pending": _("pending"),
        "late": _("late"),
        "changed": _("changed or missing"),
        "partial": _("partly applied"),
        "in_doubt": _("in doubt"),
        "reverted": _("reverted"),
    }
    return words.get(status, status)


def _word_of(type: str) -> str:
    return str(EventType(type).label)


# What waits


def _waiting(overview: Overview) -> list[Waiting]:
    """Return the files that still have something to do, in the order of a run."""
    steps = overview.plan.unfinished if overview.plan else ()
    return [_one_waiting(number, step, overview.lint.of(step.name)) for number, step in enumerate(steps, start=1)]


def _one_waiting(number: int, step: Step, found: Iterable[LintFinding]) -> Waiting:
    reason = step.reason or (_("runs next, in this order") if step.runs else "")
    dangers = [(severity_badge(finding.severity), finding) for finding in found]
    return Waiting(number, step.name, badge(step.status, status_word(step.status)), reason, dangers)


# Drift


def severity_badge(severity: str) -> SafeString:
    """Return the badge of a severity, of a validation or of a health check."""
    words = {
        "critical": _("critical"),
        "error": pgettext("severity", "error"),
        "warning": _("warning"),
        "info": _("note"),
        "ok": _("well"),
        "skipped": _("skipped"),
    }
    return badge(str(severity), words[str(severity)])


def source_title(source: Source) -> str:
    """Return who says what the database should be, as a heading."""
    titles = {
        Source.HISTORY: _("History of the SQL files"),
        Source.REQUIRED: _("Required tables"),
        Source.MODELS: _("Models"),
        Source.SNAPSHOT: _("What the last run left"),
        Source.REPLAY: _("All migrations and files from nothing"),
        Source.ROUNDTRIP: _("Down and up again"),
        Source.VERIFY: _("Verify scripts"),
        Source.AGAINST: _("The other database"),
    }
    return titles.get(source, capfirst(str(source)))


@dataclass(frozen=True, slots=True)
class Group:
    """The differences that one source tells, the worst first."""

    key: str
    title: str
    differences: list[tuple[SafeString, Difference]]


def grouped(differences: Iterable[Difference]) -> list[Group]:
    """Return the differences by their source, the worst first."""
    ranks = list(Severity)
    ordered = sorted(differences, key=lambda difference: ranks.index(difference.severity))
    sources = {one.source for one in ordered}
    return [
        Group(
            str(source),
            source_title(source),
            [(severity_badge(one.severity), one) for one in ordered if one.source is source],
        )
        for source in Source
        if source in sources
    ]


# Charts


def _of_day(day: Day) -> list[tuple[str, float, str]]:
    named = {"day": date_format(day.day), "applied": day.applied, "failed": day.failed}
    title = _("%(day)s: %(applied)s applied, %(failed)s failed") % named
    return [("applied", day.applied, title), ("failed", day.failed, title)]


def _of_execution(execution: Execution) -> list[tuple[str, float, str]]:
    return [("took", execution.duration_ms, f"{execution.name}: {duration(execution.duration_ms)}")]


def _rows(executions: Iterable[Execution]) -> list[Row]:
    known = list(executions)
    longest = max((execution.duration_ms for execution in known), default=0)
    return [
        Row(
            execution.id,
            execution.name,
            duration(execution.duration_ms),
            round(100 * execution.duration_ms / longest, 1) if longest else 0.0,
        )
        for execution in known
    ]


# Health


@dataclass(frozen=True, slots=True)
class Topic:
    """How many checks of one topic gave each answer; a check may belong to several."""

    name: str
    counts: list[tuple[SafeString, int]]
    is_well: bool


def topics_of(report: HealthReport) -> list[Topic]:
    """Return the checks' answers by topic, the topics with the worst answers first."""
    order = [HealthStatus.CRITICAL, HealthStatus.WARNING, HealthStatus.OK, HealthStatus.SKIPPED]
    counts: dict[str, dict[HealthStatus, int]] = {}
    for result in report.results:
        for tag in result.check.tags - {"before"}:
            topic = counts.setdefault(tag, dict.fromkeys(order, 0))
            topic[result.status] += 1
    worst_first = sorted(counts.items(), key=lambda item: ([-item[1][status] for status in order[:2]], item[0]))
    return [
        Topic(
            name,
            [(severity_badge(status), count) for status, count in found.items() if count],
            is_well=not any(found[status] for status in order[:2]),
        )
        for name, found in worst_first
    ]


def worst_findings(report: HealthReport) -> list[tuple[SafeString, str, Finding]]:
    """Return the worst findings of a report, each with its badge and what its check is called."""
    found = [
        (finding.severity, result.check.title, finding)
        for result in report.results
        for finding in result.findings
        if finding.severity is not HealthSeverity.INFO
    ]
    found.sort(key=lambda one: -one[0].rank)
    return [(severity_badge(severity), title, finding) for severity, title, finding in found[:WORST]]
