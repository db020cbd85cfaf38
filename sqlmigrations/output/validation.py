"""A validation as lines of text, and as annotations of GitHub's."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.core.management.color import Style

from sqlmigrations.messages import counted
from sqlmigrations.output.annotations import LEVELS, annotation
from sqlmigrations.output.paths import short
from sqlmigrations.output.word_diff import marked
from sqlmigrations.schema.difference import Difference, Source
from sqlmigrations.service.validate import ValidationReport
from sqlmigrations.severity import Severity

_TITLES = {
    Source.HISTORY: "History of the SQL files",
    Source.REQUIRED: "Required tables",
    Source.MODELS: "Models",
    Source.SNAPSHOT: "What the last run left",
    Source.REPLAY: "All migrations and files from nothing",
    Source.ROUNDTRIP: "Up, down and up again",
    Source.VERIFY: "Verify scripts",
    Source.AGAINST: "The other database",
}

_RANK = {severity: rank for rank, severity in enumerate(Severity)}

#: What these say fits into a line.
_IN_A_LINE = frozenset({Source.HISTORY, Source.REQUIRED, Source.ROUNDTRIP, Source.VERIFY})


def lines(report: ValidationReport, style: Style, *, verbosity: int = 1) -> Iterator[str]:
    """Yield the report, grouped by who says what should be and by how bad it is."""
    for source in Source:
        differences = [difference for difference in report.differences if difference.source is source]
        if differences:
            yield style.MIGRATE_HEADING(f"{_TITLES[source]}:")
            for difference in sorted(differences, key=lambda difference: _RANK[difference.severity]):
                yield from _difference(report, difference, style)
    for skipped in report.skipped:
        yield style.WARNING(f"Skipped {skipped.what}: {skipped.reason}. {skipped.remedy}".rstrip())
    for rule in report.expired:
        yield style.WARNING(f"A rule of SQLMIGRATIONS_DRIFT_IGNORE expired on {rule.until}: {rule} ({rule.reason}).")
    if verbosity:
        yield from _closing(report, style)


def _difference(report: ValidationReport, difference: Difference, style: Style) -> Iterator[str]:
    paint: Callable[[str], str] = {
        Severity.ERROR: style.ERROR,
        Severity.WARNING: style.WARNING,
        Severity.INFO: style.NOTICE,
    }[difference.severity]
    named = difference.object.startswith(f"{difference.kind} ")
    what = difference.object if named else f"{difference.kind} {difference.object}"
    if difference.source in _IN_A_LINE or difference.attribute in ("presence", "replay"):
        yield (
            f"  {paint(difference.severity)} {what}: {difference.attribute} should be {difference.expected}, "
            f"found {difference.found}"
        )
    else:
        yield f"  {paint(difference.severity)} {what}: {difference.attribute.replace('_', ' ')}"
        yield from _side_by_side(difference, style)
    if origin := report.origins.get(difference.object):
        # What should not be there was made by no file: that of its table is the nearest.
        extra = difference.attribute == "presence" and difference.expected == "absent"
        yield f"    {'its table is made' if extra else 'made'} in {short(origin.path)}:{origin.line}"
    if difference.changed is not None:
        changed = difference.changed
        yield f"    changed {changed.at:%Y-%m-%d %H:%M} by {changed.by} ({changed.application}): {changed.statement}"
    if difference.fix:
        first, *rest = difference.fix.splitlines()
        yield f"    {style.NOTICE('Fix:')} {first}"
        yield from (f"         {line}".rstrip() for line in rest)


def _side_by_side(difference: Difference, style: Style) -> Iterator[str]:
    """Yield both values below each other, the words marked that differ."""
    is_coloured = style.ERROR("x") != "x"
    removed: Callable[[str], str] = style.SUCCESS if is_coloured else lambda text: f"[-{text}-]"
    added: Callable[[str], str] = style.ERROR if is_coloured else lambda text: f"{{+{text}+}}"
    expected, found = marked(
        difference.expected.strip("\n"), difference.found.strip("\n"), removed=removed, added=added
    )
    for label, text in (("expected", expected), ("found", found)):
        for number, line in enumerate(text.split("\n")):
            yield f"    {label if number == 0 else '':9} {line}".rstrip()


def _closing(report: ValidationReport, style: Style) -> Iterator[str]:
    examined = ", ".join(_counted(count, kind) for kind, count in report.examined.items() if count)
    if examined:
        yield f"Examined {examined}."
    if report.not_compared:
        yield f"Not compared: {', '.join(_counted(count, kind) for kind, count in report.not_compared.items())}."
    if report.ignored:
        yield f"Ignored by SQLMIGRATIONS_DRIFT_IGNORE: {len(report.ignored)}."
    if report.differences:
        counts = ", ".join(_counted(count, severity) for severity, count in report.summary.items() if count)
        yield f"Found {counts}."
    elif report.skipped or report.not_compared:
        if not any(skipped.asked for skipped in report.skipped):
            yield style.SUCCESS("What was compared is what it should be.")
    else:
        yield style.SUCCESS("The database is what it should be.")


_PLURALS = {
    "index": "indexes",
    "policy": "policies",
    "statistics": "statistics",
    "default privileges": "default privileges",
    "text search dictionary": "text search dictionaries",
    "operator class": "operator classes",
    "operator family": "operator families",
    "info": "info",
}


def _counted(count: int, noun: str) -> str:
    return counted(count, noun, _PLURALS.get(noun, ""))


# GitHub


def github_lines(report: ValidationReport) -> Iterator[str]:
    """Yield an annotation for each difference, at the statement that makes the object where a file does."""
    for difference in report.differences:
        origin = report.origins.get(difference.object)
        file, line = (origin.path, origin.line) if origin else ("", None)
        title = f"{difference.kind} {difference.object}: {difference.attribute}"
        message = f"expected: {difference.expected.strip()}\nfound: {difference.found.strip()}"
        if difference.fix:
            message += f"\nfix: {difference.fix}"
        yield annotation(LEVELS[difference.severity], message, title=title, file=file, line=line)
    for skipped in report.skipped:
        yield annotation("warning", f"Skipped {skipped.what}: {skipped.reason}. {skipped.remedy}".rstrip())
    for rule in report.expired:
        yield annotation("warning", f"A rule of SQLMIGRATIONS_DRIFT_IGNORE expired on {rule.until}: {rule}")
