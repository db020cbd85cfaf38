"""A look at a database's health as Prometheus metrics, for the textfile collector of node_exporter.

Labels are the database, the check, its evidence, the severity, the kind of what runs out: never an object's name, so
that their number stays bounded. The format: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from sqlmigrations.exceptions import ConfigurationError
from sqlmigrations.health.base import DAY, Severity, Status
from sqlmigrations.health.trends import Trends
from sqlmigrations.service.health import HealthReport

_PREFIX = "sqlmigrations_health"

#: Statuses as numbers; those of Nagios.
STATUS = {Status.OK: 0, Status.WARNING: 1, Status.CRITICAL: 2, Status.SKIPPED: 3}


def lines(report: HealthReport) -> Iterator[str]:
    """Yield the metrics."""
    base = {"database": report.database}
    labels = [
        (result, base | {"check": result.check.id, "evidence": str(result.check.evidence)}) for result in report.results
    ]
    yield from _head("check_status", "The answer of a check: 0 ok, 1 warning, 2 critical, 3 skipped.")
    for result, own in labels:
        yield _sample("check_status", own, STATUS[result.status])
    yield from _head("findings", "How many findings a check has of each severity.")
    for result, own in labels:
        counts = Counter(finding.severity for finding in result.findings)
        for severity in Severity:
            yield _sample("findings", own | {"severity": str(severity)}, counts[severity])
    yield from _head("examined", "How many things a check examined.")
    for result, own in labels:
        yield _sample("examined", own, result.examined)
    yield from _head("check_duration_seconds", "How long a check took.")
    for result, own in labels:
        yield _sample("check_duration_seconds", own, round(result.duration_ms / 1000, 6))
    yield from _trends(report.trends, base)
    yield from _head("last_run_timestamp_seconds", "When the checks ran.")
    yield _sample("last_run_timestamp_seconds", base, round(report.at.timestamp(), 3))


def _trends(trends: Trends, base: dict[str, str]) -> Iterator[str]:
    """Yield where the database is going; of sequences the one that ends first, of files how many are slower."""
    if trends.since is not None:
        yield from _head("database_bytes", "The size of the database.")
        yield _sample("database_bytes", base, trends.bytes)
        yield from _head("database_growth_bytes_per_day", "How fast the database grows.")
        yield _sample("database_growth_bytes_per_day", base, round(trends.bytes_per_second * DAY, 1))
        used = [(each.kind.replace(" ", "_"), each.per_second) for each in trends.ids]
        yield from _head("ids_per_day", "How many transaction ids and multixacts are used up in a day.")
        for kind, per_second in used:
            yield _sample("ids_per_day", base | {"kind": kind}, round(per_second * DAY, 1))
        ends = [(each.kind.replace(" ", "_"), each.seconds_left) for each in trends.ids]
        ends += [("sequences", each.seconds_left) for each in trends.sequences[:1]]
        yield from _head("days_left", "Until ids come round if none is frozen, and until the first sequence ends.")
        for kind, seconds in ends:
            if seconds is not None:
                yield _sample("days_left", base | {"kind": kind}, round(seconds / DAY, 1))
    if trends.files:
        yield from _head("slower_files", "How many SQL files took much longer at last than before.")
        yield _sample("slower_files", base, len(trends.slower))


def write(report: HealthReport, target: Path) -> None:
    """Write the metrics into a file that a collector may read at any moment: it is replaced, never changed.

    Raises:
        ConfigurationError: the file can't be written.
    """
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in lines(report))
            Path(name).chmod(0o644)  # the collector is another user
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigurationError(f"{target} can't be written: {error.strerror}.") from error


def _head(name: str, help: str) -> Iterator[str]:
    yield f"# HELP {_PREFIX}_{name} {help}"
    yield f"# TYPE {_PREFIX}_{name} gauge"


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    written = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return f"{_PREFIX}_{name}{{{written}}} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
