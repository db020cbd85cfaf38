"""Annotations of GitHub Actions: one line each, which GitHub shows beside the file and line that it names.

The format: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlmigrations.health.base import Finding, Severity
from sqlmigrations.service.health import HealthReport

_LEVELS = {Severity.CRITICAL: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def health_lines(report: HealthReport) -> Iterator[str]:
    """Yield an annotation for each finding that isn't known, and a notice for each check that could not look."""
    for result in report.results:
        for finding in result.findings:
            if not finding.is_known:
                yield annotation(
                    _LEVELS[finding.severity],
                    f"{finding.subject}: {finding.observed}{_fix(finding)}",
                    title=result.check.id,
                    file=finding.origin.file if finding.origin else "",
                    line=finding.origin.line if finding.origin else None,
                )
        if result.is_blind:
            yield annotation("notice", f"Skipped: {result.reason}. {result.remedy}".rstrip(), title=result.check.id)


def _fix(finding: Finding) -> str:
    return "".join(f"\n{fix.text}" for fix in finding.fixes)


def annotation(level: str, message: str, *, title: str = "", file: str = "", line: int | None = None) -> str:
    """Return one workflow command; what would end it or a property is escaped."""
    given = {"file": file, "line": line if file else None, "title": title}
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in given.items() if value)
    return f"::{level} {properties}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
