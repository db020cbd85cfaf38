"""Takes a backup before a run, with django-dbbackup where the project has it."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.management import call_command

from sqlmigrations.exceptions import SQLMigrationsError


class BackupFailed(SQLMigrationsError):
    """No backup could be taken, so nothing was run."""


def back_up(database: str) -> str:
    """Back ``database`` up and return the backup's name.

    Raises:
        BackupFailed: django-dbbackup is not installed, or it failed.
    """
    if not apps.is_installed("dbbackup"):
        raise BackupFailed(
            "--backup needs django-dbbackup, which is not among INSTALLED_APPS.",
            hint="pip install 'sqlmigrations[backup]', add 'dbbackup' to INSTALLED_APPS, and set its storage.",
        )
    from dbbackup.signals import post_backup

    names: list[str] = []

    def remember(filename: str, **kwargs: Any) -> None:
        names.append(filename)

    post_backup.connect(remember)
    try:
        call_command("dbbackup", database=database, interactive=False, verbosity=0)
    except (Exception, SystemExit) as error:  # whatever it was: without a backup nothing may run
        raise BackupFailed(
            f"The backup of '{database}' failed, so nothing was run: {error}",
            hint=f"Try it alone: manage.py dbbackup --database {database}",
        ) from error
    finally:
        post_backup.disconnect(remember)
    if not names:
        raise BackupFailed(f"The backup of '{database}' left no file, so nothing was run.")
    return names[0]
