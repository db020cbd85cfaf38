"""Takes a backup before a run, with django-dbbackup where the project has it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.core.management import call_command

from sqlmigrations.database import connect, raw
from sqlmigrations.exceptions import SQLMigrationsError
from sqlmigrations.programs import ProgramMissing, find


class BackupFailed(SQLMigrationsError):
    """No backup could be taken, so nothing was run."""


def check_backup_is_possible() -> None:
    """Check that the project has django-dbbackup.

    Raises:
        BackupFailed: it is not installed.
    """
    if not apps.is_installed("dbbackup"):
        raise BackupFailed(
            "--backup needs django-dbbackup, which is not among INSTALLED_APPS.",
            hint="pip install 'sqlmigrations[backup]', add 'dbbackup' to INSTALLED_APPS, and set its storage.",
        )


def back_up(database: str) -> str:
    """Back ``database`` up and return the backup's name.

    Raises:
        BackupFailed: django-dbbackup is not installed, or it failed.
    """
    check_backup_is_possible()
    from dbbackup.signals import post_backup

    names: list[str] = []

    def remember(filename: str, **kwargs: Any) -> None:
        names.append(filename)

    post_backup.connect(remember)
    try:
        with _fitting_programs(database):
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


@contextmanager
def _fitting_programs(database: str) -> Iterator[None]:
    """Put the ``pg_dump`` that fits the server first on PATH: django-dbbackup takes the first that it finds.

    Where there is none, whatever django-dbbackup makes of that holds: its connector may need no program at all.
    """
    try:
        folder = find("pg_dump", raw(connect(database)).info.server_version).parent
    except ProgramMissing:
        yield
        return
    path = os.environ.get("PATH", os.defpath)
    os.environ["PATH"] = f"{folder}{os.pathsep}{path}"
    try:
        yield
    finally:
        os.environ["PATH"] = path
