"""What the pages of one SQL migration and of one event show, worked out from the rows.

Pure: reads no database and decides what belongs where; templates only lay it out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from sqlmigrations.files.discovery import DOWN, VERIFY
from sqlmigrations.messages import revived
from sqlmigrations.models import FAILURES, EventType, MigrationEvent, MigrationRecord
from sqlmigrations.output.badges import badge
from sqlmigrations.output.charts import Bar, slowest
from sqlmigrations.output.durations import duration
from sqlmigrations.output.highlight import Excerpt, Mark, excerpt, highlight
from sqlmigrations.output.phrases import phrase, said
from sqlmigrations.output.reports_page import severity_badge
from sqlmigrations.output.text_diff import SideBySide, side_by_side
from sqlmigrations.runner.modes import Mode

#: How a script is called in addresses: the record's field, and what its lines' ids begin with.
SCRIPTS: Mapping[str, tuple[str, str]] = {
    "applied": ("applied_sql", "L"),
    "down": ("down_sql", "D"),
    "verify": ("verify_sql", "V"),
}


class Highlighter(Protocol):
    """What ``highlight`` does; the admin lets a project put another one into its place."""

    def __call__(
        self, sql: str, *, first_line: int = 1, anchor: str = "L", mark: Mark | None = None, numbered: bool = True
    ) -> SafeString:
        """Return SQL as HTML."""
        ...


#: Characters of a statement's first line beside its time.
STATEMENT_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Listing:
    """One script, highlighted as far as a page can bear it."""

    name: str
    title: str
    excerpt: Excerpt
    html: SafeString
    size: int
    anchor: str
    is_marked: bool

    def anchor_of(self, line: int | None) -> str:
        """Return the id of ``line``, or nothing where it isn't shown."""
        is_shown = line is not None and self.excerpt.first_line <= line <= self.excerpt.last_line
        return f"{self.anchor}{line}" if is_shown else ""


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong with the last attempt, and where to look."""

    message: str
    sqlstate: str
    file: str
    line: int | None
    anchor: str
    detail: str
    hint: str
    advice: str
    statement: SafeString | None


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one statement took, with its text and a link where the page has them."""

    bar: Bar
    duration: str
    anchor: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Happening:
    """One event in the timeline of a file."""

    event: MigrationEvent
    badge: SafeString
    duration: str
    message: str


@dataclass(frozen=True, slots=True)
class Made:
    """An object that the file made, with what the last look at the health found about it."""

    kind: str
    name: str
    line: int | None
    anchor: str
    found: list[Found] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Found:
    """Something that a health check found about an object of the file."""

    badge: SafeString
    check: str
    title: str
    object: str
    observed: str


@dataclass(frozen=True, slots=True)
class Lock:
    """The strongest lock on one relation that the file took, and whom it kept waiting."""

    relation: str
    mode: str
    keeps_out: str


@dataclass(frozen=True, slots=True)
class Page:
    """All of it."""

    failure: Failure | None
    applied: Listing | None
    others: list[Listing]
    holds_other_text: bool
    timings: list[Timing]
    statements: int
    objects: list[Made]
    #: What was found about objects that the file changed, or that are no longer called as it made them.
    others_found: list[Found]
    locks: list[Lock]
    more_locks: int
    difference: SideBySide | None


def page_of(
    record: MigrationRecord,
    events: Sequence[MigrationEvent],
    timed: MigrationEvent | None,
    sql_html: Highlighter = highlight,
    *,
    today: str | None = None,
    health: Mapping[str, Any] | None = None,
) -> Page:
    """Return the page of ``record``; ``events`` are its latest, newest first, and ``timed`` its last *applied* one.

    ``today`` is the text that its file has on disk, ``health`` the document of the last look at the health.
    """
    failed = _failed_event(record, events)
    marked = _script_of(record, failed) if failed and _is_of_stored_text(record, failed) else ""
    listings = {
        script: listing
        for script in SCRIPTS
        if (listing := _listing(record, script, _mark(record, failed) if script == marked else None, sql_html))
    }
    applied = listings.get("applied")
    timings = timed.timings if timed else []
    found = _found(record, health)
    objects = _objects(record.objects_made, applied, found)
    told = {one for made in objects for one in made.found}
    details: Mapping[str, Any] = timed.details if timed else {}
    return Page(
        failure=_failure(record, failed, listings.get(marked), sql_html),
        applied=applied,
        others=[listing for script, listing in listings.items() if script != "applied"],
        holds_other_text=bool(record.error_message and applied and not marked),
        timings=timings_of(timings, record.applied_sql or "", applied),
        statements=len(timings),
        objects=objects,
        others_found=[one for one in found if one not in told],
        locks=[_lock(lock) for lock in details.get("locks", [])],
        more_locks=int(details.get("more_locks", 0)),
        difference=_difference(record, today),
    )


# The error


def _failed_event(record: MigrationRecord, events: Sequence[MigrationEvent]) -> MigrationEvent | None:
    if not record.error_message:
        return None
    return next((event for event in events if event.type in FAILURES), None)


def told(event: MigrationEvent | None) -> dict[str, Any]:
    """Return the details of an event, in the page's language where they can be said in it."""
    details: Mapping[str, Any] = revived(event.details) if event else {}
    return {key: said(value) if isinstance(value, str) else value for key, value in details.items()}


def message_of(event: MigrationEvent) -> str:
    """Return the error of a failed event, or the reason that a person gave, in the page's language."""
    details = told(event)
    return str(details.get("message") or details.get("reason") or "")


def _is_of_stored_text(record: MigrationRecord, failed: MigrationEvent) -> bool:
    """Tell whether the stored text is the one that failed, and not an older one that the database still holds."""
    if failed.type == EventType.REVERT_FAILED:
        return True
    return record.executed_at is None or bool(failed.checksum and failed.checksum == record.checksum)


def _script_of(record: MigrationRecord, failed: MigrationEvent) -> str:
    """Return which script the error is in."""
    file = str(failed.details.get("file", record.filename))
    if failed.type == EventType.REVERT_FAILED or file.endswith(DOWN):
        return "down"
    return "verify" if file.endswith(VERIFY) else "applied"


def _mark(record: MigrationRecord, failed: MigrationEvent | None) -> Mark | None:
    return Mark(record.error_line, _message(record, failed)) if record.error_line else None


def _message(record: MigrationRecord, failed: MigrationEvent | None) -> str:
    return str(told(failed).get("message") or record.error_message)


def _failure(
    record: MigrationRecord, failed: MigrationEvent | None, marked: Listing | None, sql_html: Highlighter
) -> Failure | None:
    """Return the error, with a link to its line in ``marked`` or else in the statement itself."""
    if not record.error_message:
        return None
    details = told(failed)
    anchor = marked.anchor_of(record.error_line) if marked else ""
    statement = "" if anchor else str(details.get("statement", ""))
    first_line: int | None = details.get("statement_line")
    return Failure(
        message=_message(record, failed),
        sqlstate=record.error_sqlstate,
        file=str(details.get("file", record.filename)),
        line=record.error_line,
        anchor=anchor or _anchor_within(statement, first_line, record.error_line),
        detail=str(details.get("detail", "")),
        hint=str(details.get("hint", "")),
        advice=str(details.get("advice", "")),
        statement=_statement(statement, first_line, _mark(record, failed), sql_html),
    )


def _anchor_within(statement: str, first_line: int | None, line: int | None) -> str:
    """Return the id of ``line`` in a statement that begins at ``first_line``, or nothing where it isn't shown."""
    if not statement or first_line is None or line is None:
        return ""
    return f"E{line}" if first_line <= line <= first_line + statement.count("\n") else ""


def _statement(statement: str, first_line: int | None, mark: Mark | None, sql_html: Highlighter) -> SafeString | None:
    """Return the statement that failed, where the text of its file isn't kept; numbered if its line is known."""
    if not statement:
        return None
    if first_line is None:
        return sql_html(statement, numbered=False)
    return sql_html(statement, first_line=first_line, anchor="E", mark=mark)


# The texts


def _listing(record: MigrationRecord, script: str, mark: Mark | None, sql_html: Highlighter) -> Listing | None:
    field, anchor = SCRIPTS[script]
    text: str | None = getattr(record, field)
    if not text:
        return None
    window = excerpt(text, mark.line if mark else None)
    return Listing(
        name=script,
        title=_title(script),
        excerpt=window,
        html=sql_html(window.text, first_line=window.first_line, anchor=anchor, mark=mark),
        size=len(text.encode()),
        anchor=anchor,
        is_marked=mark is not None,
    )


def _title(script: str) -> str:
    return {"applied": _("SQL"), "down": _("Down script"), "verify": _("Verify script")}[script]


# What came of it


def timings_of(timings: Sequence[dict[str, Any]], text: str = "", applied: Listing | None = None) -> list[Timing]:
    """Return the slowest statements with their bars, and with their texts where ``text`` has them."""
    lines = text.split("\n")
    return [
        Timing(
            bar,
            duration(bar.duration_ms),
            anchor=applied.anchor_of(bar.line) if applied else "",
            text=_first_words(lines, bar.line),
        )
        for bar in slowest(timings)
    ]


def _first_words(lines: Sequence[str], line: int) -> str:
    """Return the statement's first line, as much of it as fits."""
    return Truncator(lines[line - 1].strip()).chars(STATEMENT_LENGTH) if 0 < line <= len(lines) else ""


def _lock(lock: Mapping[str, str]) -> Lock:
    """Return a lock that was taken, with whom it kept waiting."""
    mode = Mode[lock["mode"]]
    keeps_out = (
        _("readers and writers") if mode.blocks_readers else _("writers") if mode.blocks_writers else _("nobody")
    )
    return Lock(lock["relation"], str(mode), keeps_out)


def _difference(record: MigrationRecord, today: str | None) -> SideBySide | None:
    """Return how the file on disk differs from the text that the database holds, if it does."""
    kept: str | None = record.applied_sql
    if kept is None or today is None or record.executed_at is None:
        return None
    compared = side_by_side(kept, today)
    return compared if compared.rows or compared.is_too_long else None


def _found(record: MigrationRecord, health: Mapping[str, Any] | None) -> list[Found]:
    """Return what the health checks found of which this file is the origin."""
    return [
        Found(
            severity_badge(finding["severity"]),
            check["id"],
            phrase(check["title"]),
            finding["object"],
            said(finding["observed"]),
        )
        for check in (health or {}).get("checks", [])
        for finding in check["findings"]
        if finding["origin"] and finding["origin"]["file"] == record.filename
    ]


def _is_about(found: Found, name: str) -> bool:
    """Tell whether a finding is about an object, or a column of it, that a file made under ``name``."""
    own = name.partition("(")[0].rpartition(".")[2].strip('"')
    return own in found.object.split(".")


def _objects(objects: Sequence[dict[str, Any]], applied: Listing | None, found: Sequence[Found]) -> list[Made]:
    return [
        Made(
            kind=phrase(str(made.get("kind", ""))),
            name=str(made.get("name", "")),
            line=made.get("line"),
            anchor=applied.anchor_of(made.get("line")) if applied else "",
            found=[one for one in found if _is_about(one, str(made.get("name", "")))],
        )
        for made in objects
    ]


def happening(event: MigrationEvent) -> Happening:
    """Return an event as the timeline shows it."""
    return Happening(
        event,
        badge=badge(event.type, event.get_type_display()),
        duration="" if event.duration_ms is None else duration(event.duration_ms),
        message=message_of(event),
    )
