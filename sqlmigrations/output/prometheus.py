"""A look at a database's health as Prometheus metrics, for the textfile collector of node_exporter.

Labels are the database, the check, its evidence and the severity: never an object's name, so that their number stays
bounded. The format: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from sqlmigrations.exceptions import ConfigurationError
from sqlmigrations.health.base import Severity, Status
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
    yield from _head("last_run_timestamp_seconds", "When the checks ran.")
    yield _sample("last_run_timestamp_seconds", base, round(report.at.timestamp(), 3))


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
