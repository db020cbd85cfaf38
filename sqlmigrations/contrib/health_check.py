"""Checks for django-health-check (version 4): files that are pending or failed, drift, critical findings.

    from health_check.views import HealthCheckView

    path("health/", HealthCheckView.as_view(checks=["sqlmigrations.contrib.health_check.SQLFiles"]))

Each opens a connection where the thread has none, and closes it again.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS
from health_check.base import HealthCheck
from health_check.exceptions import ServiceUnavailable, ServiceWarning

from sqlmigrations.exceptions import SQLMigrationsError
from sqlmigrations.health.base import Severity
from sqlmigrations.plan import STOPPED
from sqlmigrations.service.apply import ApplyOptions, plan_run
from sqlmigrations.service.health import Gate, HealthOptions, check_health
from sqlmigrations.service.validate import ValidateOptions, validate
from sqlmigrations.severity import Severity as DriftSeverity


@dataclass
class SQLFiles(HealthCheck):  # type: ignore[misc]  # the package has no types
    """Every SQL file is applied. A failed one is an error; one that is pending, as in a deployment, a warning."""

    alias: str = DEFAULT_DB_ALIAS
    timeout = datetime.timedelta(seconds=10)

    def run(self) -> None:
        """Look at the files and the history.

        Raises:
            ServiceUnavailable: a file failed or stopped half-way, or nothing can be asked.
            ServiceWarning: a file is not applied.
        """
        try:
            report = plan_run(ApplyOptions(database=self.alias))
        except SQLMigrationsError as error:
            raise ServiceUnavailable("The SQL files can't be judged") from error
        if wrong := [step.name for step in report.unfinished if step.status in STOPPED]:
            raise ServiceUnavailable(f"SQL files that failed: {', '.join(wrong)}")
        if report.unfinished:
            raise ServiceWarning(f"SQL files that are not applied: {len(report.unfinished)}")


@dataclass
class Drift(HealthCheck):  # type: ignore[misc]  # the package has no types
    """The database is what files, history and settings say; differences are counted, never named."""

    alias: str = DEFAULT_DB_ALIAS
    timeout = datetime.timedelta(seconds=60)

    def run(self) -> None:
        """Validate the database.

        Raises:
            ServiceUnavailable: nothing can be asked.
            ServiceWarning: there are differences that are errors.
        """
        try:
            report = validate(ValidateOptions(self.alias))
        except SQLMigrationsError as error:
            raise ServiceUnavailable("The database can't be validated") from error
        errors = [each for each in report.differences if each.severity is DriftSeverity.ERROR]
        if errors:
            raise ServiceWarning(f"Differences from what the database should be: {len(errors)}")


@dataclass
class DatabaseHealth(HealthCheck):  # type: ignore[misc]  # the package has no types
    """No finding is critical among those that tell whether the database works; findings are counted, never named."""

    alias: str = DEFAULT_DB_ALIAS
    timeout = datetime.timedelta(seconds=60)

    def run(self) -> None:
        """Ask the checks that also tell whether now is a good time for a migration.

        Raises:
            ServiceUnavailable: nothing can be asked.
            ServiceWarning: a finding is critical.
        """
        try:
            report = check_health(HealthOptions(self.alias, gate=Gate.BEFORE))
        except SQLMigrationsError as error:
            raise ServiceUnavailable("The database's health can't be asked") from error
        critical = sorted(
            {
                result.check.id
                for result in report.results
                for finding in result.findings
                if finding.severity is Severity.CRITICAL
            }
        )
        if critical:
            raise ServiceWarning(f"Critical: {', '.join(critical)}")
