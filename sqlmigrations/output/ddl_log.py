"""The DDL log as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.management.color import Style

from sqlmigrations.schema.ddl_log import LoggedChange
from sqlmigrations.service.ddl_log import DDLLogReport

#: Characters of a statement that are shown where nobody asked for more.
_SHORT = 200


def lines(report: DDLLogReport, style: Style, *, verbosity: int = 1) -> Iterator[str]:
    """Yield the changes, then how the log is."""
    for change in report.changes:
        yield from _change(change, style, whole=verbosity > 1)
    for problem in report.before.problems if report.before and report.changed else ():
        yield style.WARNING(f"Before: {problem}.")
    yield from _condition(report, style)


def _change(change: LoggedChange, style: Style, *, whole: bool) -> Iterator[str]:
    what = f"{change.tag} {change.object}".strip() + (" (dropped)" if change.dropped else "")
    yield f"{change.at:%Y-%m-%d %H:%M:%S} {who(change)}: {style.MIGRATE_LABEL(what)}"
    if change.filename:
        yield f"    {change.filename}"
    statement = change.statement.strip() if whole else shorten(change.statement)
    yield from (f"    {line}" for line in statement.splitlines())


def who(change: LoggedChange) -> str:
    """Return who made a change and from what, in words."""
    role = f"{change.role} as {change.assumed_role}" if change.assumed_role else change.role
    origin = ", ".join(part for part in (change.application_name, change.client_address) if part)
    return f"{role} ({origin})" if origin else role


def shorten(statement: str) -> str:
    """Return a statement on one line, its end left off where it is long."""
    line = " ".join(statement.split())
    return line if len(line) <= _SHORT else line[: _SHORT - 1] + "…"


def _condition(report: DDLLogReport, style: Style) -> Iterator[str]:
    condition, installed = report.condition, report.installed
    if not condition.is_installed:
        yield "The DDL log was removed; what it has written stays." if report.changed else "No DDL log is installed."
    elif installed is not None:
        since = f"since {installed.at:%Y-%m-%d %H:%M:%S}, installed by {installed.role}"
        yield style.SUCCESS(f"The DDL log is on {since}.") if not condition.problems else f"DDL log {since}."
    for problem in condition.problems:
        yield style.ERROR(f"  {problem}")
    if condition.problems:
        yield "  Mend it with: manage.py validateschema --ddl-log install"
