"""Findings of health as annotations of GitHub Actions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sqlmigrations.health.base import Finding
from sqlmigrations.output.annotations import LEVELS, annotation, relative

if TYPE_CHECKING:
    from sqlmigrations.service.health import HealthReport


def health_lines(report: HealthReport) -> Iterator[str]:
    """Yield an annotation for each finding that isn't known, and a notice for each check that could not look."""
    for result in report.results:
        for finding in result.findings:
            if not finding.is_known:
                yield annotation(
                    LEVELS[finding.severity],
                    f"{finding.subject}: {finding.observed}{_fix(finding)}",
                    title=result.check.id,
                    file=_path(finding, report.paths),
                    line=finding.origin.line if finding.origin else None,
                )
        if result.is_blind:
            yield annotation("notice", f"Skipped: {result.reason}. {result.remedy}".rstrip(), title=result.check.id)


def _path(finding: Finding, paths: Mapping[str, Path]) -> str:
    """Return the file that a finding came from, as GitHub knows it; the history has its name within its folder."""
    if finding.origin is None:
        return ""
    return relative(paths.get(finding.origin.file, Path(finding.origin.file)))


def _fix(finding: Finding) -> str:
    return "".join(f"\n{fix.text}" for fix in finding.fixes)
