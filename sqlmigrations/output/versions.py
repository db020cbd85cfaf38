"""Versions of the schema as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.management.color import Style

from sqlmigrations.messages import counted
from sqlmigrations.models import SnapshotReason
from sqlmigrations.schema.catalog import Catalog
from sqlmigrations.service.versions import Accepted, VersionsReport


def lines(report: VersionsReport, style: Style) -> Iterator[str]:
    """Yield a line for each version, the newest first."""
    if not report.versions:
        yield "No run has left a version of the schema yet."
    for version in report.versions:
        what = SnapshotReason(version.reason).label
        files = ", ".join(version.files)
        yield (
            f"  {style.SUCCESS(str(version.id))}  {version.at:%Y-%m-%d %H:%M:%S}  {version.role}  {what}"
            f"{f': {files}' if files else ''}  ({counted(sum(version.counts.values()), 'object')})"
        )


def accepted_lines(accepted: Accepted, style: Style) -> Iterator[str]:
    """Yield what was accepted."""
    for difference in accepted.differences:
        yield f"  {difference.kind} {difference.object}: {difference.attribute} is {difference.found}"
    yield style.SUCCESS(f"The schema is accepted as it is: version {accepted.version}.")
    yield f"Head: {accepted.head}"


def coverage(catalog: Catalog) -> Iterator[str]:
    """Yield how many objects of each kind are read, and how many are of kinds that aren't."""
    yield "Read and compared:"
    yield from (f"  {count:>7}  {kind}" for kind, count in catalog.counts.items())
    yield "Not read:"
    yield from (f"  {count:>7}  {kind}" for kind, count in sorted(catalog.not_covered.items()))
    if not catalog.not_covered:
        yield "  nothing: the database has no objects of other kinds"
