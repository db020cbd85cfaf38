"""The check of backups: when the last one was taken."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.apps import apps
from django.utils.module_loading import import_string

from sqlmigrations.health.base import (
    BEFORE,
    Answer,
    Check,
    Evidence,
    Finding,
    Fix,
    FixKind,
    Probe,
    Severity,
    Skip,
    Subject,
    answer,
)
from sqlmigrations.health.grading import grade
from sqlmigrations.health.units import HOUR, span
from sqlmigrations.messages import gettext as _

#: What a project's own hook is: it takes the alias and returns the time of the last backup, if there is one.
Hook = Callable[[str], datetime | None]


@dataclass(frozen=True, kw_only=True)
class BackupAge(Check):
    """The last backup is what is left when everything else fails, and the way back after a migration that went wrong.

    PostgreSQL doesn't know of backups. Where django-dbbackup is installed, its newest backup of the alias counts. A
    backup of another kind (pgBackRest, a provider's) is told by a function of the project, named as ``hook``: a dotted
    path. It takes the alias and returns the time of the last backup as a datetime with a time zone, or None.
    """

    id = "backup_age"
    title = _("There is a recent backup")
    evidence = Evidence.EXTERNAL
    examines = "databases"
    tags = frozenset({"backup", BEFORE})

    warning_seconds: float = 26 * HOUR
    critical_seconds: float = 50 * HOUR
    #: A dotted path to a function that tells when the last backup was taken.
    hook: str = ""

    def run(self, probe: Probe) -> Answer:
        """Ask the hook, else django-dbbackup, when the last backup was taken.

        Raises:
            Skip: there is neither, or the one that there is fails.
        """
        taken = self._last(probe.database)
        seconds = None if taken is None else (datetime.now(UTC) - taken).total_seconds()
        return answer([self.judge(probe.database, seconds)])

    def judge(self, database: str, seconds: float | None) -> Finding | None:
        """Judge the age of the last backup; ``None`` where there is none."""
        never = seconds is None
        severity = (
            Severity.CRITICAL
            if seconds is None
            else grade(seconds, warning=self.warning_seconds, critical=self.critical_seconds)
        )
        if severity is None:
            return None
        return Finding(
            subject=Subject("alias", name=database),
            severity=severity,
            observed=_("no backup") if never else _("the last backup was taken {time} ago", time=span(seconds or 0)),
            threshold=span(self.warning_seconds),
            fixes=(
                Fix(FixKind.SHELL, f"manage.py dbbackup --database {database}", _("or the way that the project has")),
            ),
            value=seconds,
        )

    def _last(self, database: str) -> datetime | None:
        hook = self._hook()
        try:
            return hook(database)
        except Exception as error:  # a storage far away, or a project's own code: whatever it was, nothing is known
            raise Skip(
                _("the last backup can't be told: {kind}: {error}", kind=type(error).__name__, error=error)
            ) from error

    def _hook(self) -> Hook:
        if self.hook:
            try:
                named: Hook = import_string(self.hook)
            except ImportError as error:
                raise Skip(_("the hook '{hook}' can't be imported: {error}", hook=self.hook, error=error)) from error
            return named
        if not apps.is_installed("dbbackup"):
            raise Skip(
                _("nobody tells when the last backup was taken"),
                _("Install django-dbbackup, or name a function as 'hook' of backup_age in SQLMIGRATIONS_HEALTH."),
            )
        return last_of_dbbackup


def last_of_dbbackup(database: str) -> datetime | None:
    """Return when django-dbbackup took its newest backup of an alias, by its name; None where there is none."""
    from dbbackup.storage import get_storage
    from dbbackup.utils import filename_to_date

    whole_name = re.compile(rf"(?<!\w){re.escape(database)}(?!\w)")
    names = [name for name in get_storage().list_backups(content_type="db") if whole_name.search(name)]
    taken: list[datetime] = [filename_to_date(name) for name in names]
    return max(taken).astimezone() if taken else None  # its names have the time of the process's own zone


CHECKS: tuple[type[Check], ...] = (BackupAge,)
