"""A validation as lines of text."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.core.management.color import Style

from sqlmigrations.schema.difference import Difference, Severity, Source
from sqlmigrations.service.validate import ValidationReport

_TITLES = {
    Source.HISTORY: "History of the SQL files",
    Source.REQUIRED: "Required tables",
    Source.MODELS: "Models",
    Source.SNAPSHOT: "What the last run left",
    Source.REPLAY: "All migrations and files from nothing",
    Source.AGAINST: "The other database",
}


def lines(report: ValidationReport, style: Style, *, verbosity: int = 1) -> Iterator[str]:
    """Yield the report, grouped by who says what should be."""
    for source in Source:
        differences = [difference for difference in report.differences if difference.source is source]
        if differences:
            yield style.MIGRATE_HEADING(f"{_TITLES[source]}:")
            for difference in differences:
                yield from _difference(difference, style)
    for skipped in report.skipped:
        yield style.WARNING(f"Skipped {skipped.what}: {skipped.reason}. {skipped.remedy}".rstrip())
    if verbosity:
        yield from _closing(report, style)


def _difference(difference: Difference, style: Style) -> Iterator[str]:
    paint: Callable[[str], str] = {
        Severity.ERROR: style.ERROR,
        Severity.WARNING: style.WARNING,
        Severity.INFO: style.NOTICE,
    }[difference.severity]
    named = difference.object.startswith(f"{difference.kind} ")
    what = difference.object if named else f"{difference.kind} {difference.object}"
    yield (
        f"  {paint(difference.severity)} {what}: {difference.attribute} should be {difference.expected}, "
        f"found {difference.found}"
    )
    if difference.changed is not None:
        changed = difference.changed
        yield f"    changed {changed.at:%Y-%m-%d %H:%M} by {changed.by} ({changed.application}): {changed.statement}"
    if difference.fix:
        yield f"    {style.NOTICE('Fix:')} {difference.fix}"


def _closing(report: ValidationReport, style: Style) -> Iterator[str]:
    examined = ", ".join(_counted(count, kind) for kind, count in report.examined.items() if count)
    if examined:
        yield f"Examined {examined}."
    if report.not_compared:
        left_out = ", ".join(f"{count} {kind}" for kind, count in report.not_compared.items())
        yield f"Not compared: {left_out}."
    if report.differences:
        counts = ", ".join(_counted(count, severity) for severity, count in report.summary.items() if count)
        yield f"Found {counts}."
    elif not report.skipped:
        yield style.SUCCESS("The database is what it should be.")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 or noun == "info" else f"{count} {noun}s"
