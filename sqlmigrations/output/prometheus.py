"""A look at a database's health as Prometheus metrics, for the textfile collector of node_exporter.

Labels are the database, the check, its evidence, the severity, the kind of what runs out: never an object's name, so
that their number stays bounded. The format: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlmigrations.exceptions import ConfigurationError
from sqlmigrations.health.base import (
    Severity,
    Status,
)
from sqlmigrations.health.trends import Trends
from sqlmigrations.health.units import DAY
from sqlmigrations.service.health import HealthReport

_PREFIX = "sqlmigrations_health"

Labels = dict[str, str]

#: The metrics, in the order in which they are written, and what they say.
_HELP = {
    "check_status": "The answer of a check: 0 ok, 1 warning, 2 critical, 3 could not look, 4 had nothing to examine.",
    "findings": "How many findings a check has of each severity.",
    "examined": "How many things a check examined.",
    "check_duration_seconds": "How long a check took.",
    "database_bytes": "The size of the database.",
    "database_growth_bytes_per_day": "How fast the database grows.",
    "ids_per_day": "How many transaction ids and multixacts are used up in a day.",
    "days_left": "Until ids come round if none is frozen, and until the first sequence ends.",
    "slower_files": "How many SQL files took much longer at last than before.",
    "last_run_timestamp_seconds": "When the checks ran.",
}

#: Answers as numbers; the first four are those of Nagios.
STATUS = {Status.OK: 0, Status.WARNING: 1, Status.CRITICAL: 2, Status.SKIPPED: 3}
NOTHING_TO_EXAMINE = 4


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: its name, what it says, and a sample for each combination of labels."""

    name: str
    help: str
    samples: list[tuple[Labels, float]] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """Yield the metric, where it has samples."""
        if self.samples:
            yield f"# HELP {_PREFIX}_{self.name} {self.help}"
            yield f"# TYPE {_PREFIX}_{self.name} gauge"
        for labels, value in self.samples:
            written = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
            yield f"{_PREFIX}_{self.name}{{{written}}} {value}"


def lines(reports: Sequence[HealthReport]) -> Iterator[str]:
    """Yield the metrics of one database, or of several together: each metric has one head."""
    metrics = {name: Metric(name, help) for name, help in _HELP.items()}
    for report in reports:
        for name, labels, value in _samples(report):
            metrics[name].samples.append(({"database": report.database} | labels, value))
    for metric in metrics.values():
        yield from metric.lines()


def _samples(report: HealthReport) -> Iterator[tuple[str, Labels, float]]:
    """Yield the name of a metric, its labels but the database, and its value."""
    for result in report.results:
        own = {"check": result.check.id, "evidence": str(result.check.evidence)}
        counts = Counter(finding.severity for finding in result.findings)
        yield "check_status", own, STATUS[result.status] if result.applies else NOTHING_TO_EXAMINE
        for severity in Severity:
            yield "findings", own | {"severity": str(severity)}, counts[severity]
        yield "examined", own, result.examined
        yield "check_duration_seconds", own, round(result.duration_ms / 1000, 6)
    yield from _trends(report.trends)
    yield "last_run_timestamp_seconds", {}, round(report.at.timestamp(), 3)


def _trends(trends: Trends) -> Iterator[tuple[str, Labels, float]]:
    """Yield where the database is going; of sequences the one that ends first, of files how many are slower."""
    if trends.since is not None:
        yield "database_bytes", {}, trends.bytes
        yield "database_growth_bytes_per_day", {}, round(trends.bytes_per_second * DAY, 1)
        for each in trends.ids:
            yield "ids_per_day", {"kind": each.kind.replace(" ", "_")}, round(each.per_second * DAY, 1)
        ends = [(each.kind.replace(" ", "_"), each.seconds_left) for each in trends.ids]
        ends += [("sequences", each.seconds_left) for each in trends.sequences[:1]]
        for kind, seconds in ends:
            if seconds is not None:
                yield "days_left", {"kind": kind}, round(seconds / DAY, 1)
    if trends.files:
        yield "slower_files", {}, len(trends.slower)


def write(reports: Sequence[HealthReport], target: Path) -> None:
    """Write the metrics into a file that a collector may read at any moment: it is replaced, never changed.

    Raises:
        ConfigurationError: the file can't be written.
    """
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in lines(reports))
            Path(name).chmod(0o644)  # the collector is another user
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigurationError(f"{target} can't be written: {error.strerror}.") from error


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
