"""What the overview in the admin shows, worked out from what is known of one database.

Pure: reads no database and decides what belongs where; templates only lay it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sqlmigrations.lint.base import Finding as LintFinding
from sqlmigrations.models import EventType
from sqlmigrations.output.badges import badge
from sqlmigrations.output.charts import Column, columns
from sqlmigrations.output.durations import duration
from sqlmigrations.output.phrases import phrase
from sqlmigrations.output.reports_page import Topic, Worst, severity_badge, topics_of, worded, worst_of
from sqlmigrations.plan import Status, Step
from sqlmigrations.schema.difference import Difference
from sqlmigrations.service.overview import NAMED, Day, Execution, Overview
from sqlmigrations.severity import Severity

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

#: Events that say nothing of what came of a run.
UNCOUNTED = frozenset({EventType.STARTED, EventType.REQUESTED, EventType.ENDED})

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
    dangers: list[tuple[SafeString, int, str]]
    #: It was never tried.
    is_new: bool
    #: What it kept others from, and for how long, when it was rehearsed.
    blocks: list[str]
    rehearsed: str


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
    unnamed: int
    severities: list[tuple[SafeString, int]]
    worst: list[tuple[SafeString, Difference]]
    more: int
    days: list[Day]
    day_columns: list[Column]
    latest: list[Row]
    latest_columns: list[Column]
    slowest: list[Row]
    run_took: str
    run_counts: list[SafeString]
    topics: list[Topic]
    health: list[Worst]


def page_of(overview: Overview) -> Page:
    """Return the page of one database."""
    run = overview.last_run
    return Page(
        verdict=_verdict(overview),
        tiles=_tiles(overview),
        waiting=_waiting(overview),
        unnamed=max(len(overview.unfinished) - NAMED, 0),
        severities=[(severity_badge(severity), count) for severity, count in overview.severities.items() if count],
        worst=[
            (severity_badge(difference.severity), worded(difference)) for difference in overview.differences[:WORST]
        ],
        more=max(sum(overview.severities.values()) - WORST, 0),
        days=[day for day in overview.days if day.applied or day.failed],
        day_columns=columns([_of_day(day) for day in overview.days]),
        latest=_rows(overview.latest),
        latest_columns=columns([_of_execution(execution) for execution in overview.latest]),
        slowest=_rows(overview.slowest),
        run_took=duration(run.duration_ms) if run else "",
        run_counts=[
            badge(type, f"{count} {_word_of(type)}")
            for type, count in (run.counts.items() if run else ())
            if type not in UNCOUNTED
        ],
        topics=[topic for topic in topics_of(overview.health.document) if not topic.is_well] if overview.health else [],
        health=worst_of(overview.health.document)[:WORST] if overview.health else [],
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
        found = sum(overview.severities.values())
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
    steps = overview.unfinished[:NAMED]
    rehearsal = overview.rehearsal.document["files"] if overview.rehearsal else []
    rehearsed = {file["name"]: file for file in rehearsal}
    return [
        _one_waiting(number, step, overview.lint.of(step.name), rehearsed.get(step.name))
        for number, step in enumerate(steps, start=1)
    ]


def _one_waiting(number: int, step: Step, found: Iterable[LintFinding], rehearsed: Mapping[str, Any] | None) -> Waiting:
    reason = phrase(step.reason) or (_("runs next, in this order") if step.runs else "")
    dangers = [(severity_badge(finding.severity), finding.line, phrase(finding.message)) for finding in found]
    shown = badge(step.status, status_word(step.status))
    return Waiting(number, step.name, shown, reason, dangers, step.record is None, *_rehearsed(rehearsed))


def _rehearsed(file: Mapping[str, Any] | None) -> tuple[list[str], str]:
    """Return what a file kept others from when it was rehearsed, the longest first, and how long it took."""
    if file is None or file["duration_ms"] is None:
        return [], ""
    blocks = [(max(block["writers_ms"], block["readers_ms"]), block) for block in file["blocks"]]
    told = [
        _("%(relation)s: %(mode)s for %(duration)s")
        % {"relation": block["relation"], "mode": block["mode"], "duration": duration(waited)}
        for waited, block in sorted(blocks, key=lambda one: -one[0])
        if waited
    ]
    return told, duration(file["duration_ms"])


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
