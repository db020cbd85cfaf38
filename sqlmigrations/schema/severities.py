"""How bad a difference is, by its kind and attribute, and how a project's settings change that."""

from __future__ import annotations

from collections.abc import Mapping

from sqlmigrations.exceptions import ConfigurationError
from sqlmigrations.severity import Severity

#: Stands for the attribute of an object that is there and should not be.
EXTRA = "extra"

#: Severities by ``kind.attribute``, ``attribute`` or ``kind``, the first that is there; all else is an error.
DEFAULT: Mapping[str, Severity] = {
    "column_order": Severity.INFO,
    "comment": Severity.INFO,
    "owner": Severity.INFO,
    "constraint.name": Severity.INFO,
    "index.name": Severity.INFO,
    "policy.name": Severity.INFO,
    "rule.name": Severity.INFO,
    "statistics.name": Severity.INFO,
    "trigger.name": Severity.INFO,
    EXTRA: Severity.WARNING,
    "access_method": Severity.WARNING,
    "cache": Severity.WARNING,
    "clustered": Severity.WARNING,
    "compression": Severity.WARNING,
    "cost": Severity.WARNING,
    "default privileges": Severity.WARNING,
    "grants": Severity.WARNING,
    "index_options": Severity.WARNING,
    "index_tablespace": Severity.WARNING,
    "materialized view.populated": Severity.WARNING,
    "parallel": Severity.WARNING,
    "replica_identity": Severity.WARNING,
    "rows": Severity.WARNING,
    "statistics": Severity.WARNING,
    "statistics_target": Severity.WARNING,
    "statistics_targets": Severity.WARNING,
    "storage": Severity.WARNING,
    "table.options": Severity.WARNING,
    "index.options": Severity.WARNING,
    "materialized view.options": Severity.WARNING,
    "tablespace": Severity.WARNING,
}


def read_severities(given: Mapping[str, str]) -> dict[str, Severity]:
    """Return the severities of the settings.

    Raises:
        ConfigurationError: one of them is none.
    """
    try:
        return {key: Severity(value) for key, value in given.items()}
    except ValueError as error:
        raise ConfigurationError(
            f"SQLMIGRATIONS_DRIFT_SEVERITY: {error}.", hint='Set each to "error", "warning" or "info".'
        ) from error


def severity(kind: str, attribute: str, own: Mapping[str, Severity] | None = None) -> Severity:
    """Return how bad a difference is; ``own`` are the severities of a project, which go first."""
    for severities in (own or {}, DEFAULT):
        for key in (f"{kind}.{attribute}", attribute, kind):
            if key in severities:
                return severities[key]
    return Severity.ERROR
