"""Applies SQL files after Django's ``migrate``, where SQLMIGRATIONS_APPLY_ON_MIGRATE is on."""

from __future__ import annotations

import sys
from typing import Any

from django.apps import AppConfig
from django.core.management.base import CommandError, OutputWrapper
from django.core.management.color import Style, color_style, no_style
from django.db.models.signals import post_migrate

from sqlmigrations.conf import settings
from sqlmigrations.exceptions import SQLMigrationsError
from sqlmigrations.output.screen import Screen
from sqlmigrations.plan import UNFINISHED
from sqlmigrations.service.apply import ApplyOptions, RunResult, apply
from sqlmigrations.service.databases import has_files, pending_django_migrations
from sqlmigrations.service.run import LOCK_WAIT


def connect_receivers(config: AppConfig) -> None:
    """Connect our receivers; ``config`` is this app's."""
    post_migrate.connect(apply_on_migrate, sender=config, dispatch_uid="sqlmigrations.apply_on_migrate")


def apply_on_migrate(sender: AppConfig, *, using: str, verbosity: int = 1, **signal: Any) -> None:
    """Apply the SQL files of database ``using`` once all of Django's migrations are applied there.

    While some are pending, after ``migrate app`` or a migration backwards, the files wait: they may build on any of
    them. ``flush`` sends the signal too, without a ``plan``; it migrates nothing, and nothing is applied.

    Raises:
        CommandError: files were not applied; those that were stay.
    """
    if not settings.APPLY_ON_MIGRATE or "plan" not in signal or not has_files(using):
        return
    out = signal.get("stdout") or sys.stdout
    out = out if isinstance(out, OutputWrapper) else OutputWrapper(out)
    style = _style(out)
    if pending := pending_django_migrations(using):
        if verbosity:
            out.write(
                style.NOTICE(f"  SQL files wait until all of Django's migrations are applied: {len(pending)} left.")
            )
        return
    try:
        with Screen(out, style, verbosity=verbosity) as screen:
            result = apply(ApplyOptions(database=using, lock_wait=LOCK_WAIT), screen.report)
            screen.close(result)
    except SQLMigrationsError as error:
        raise CommandError(f"The SQL files of database '{using}' were not applied.\n{error}") from error
    _judge(result)


def _style(out: OutputWrapper) -> Style:
    """Return the colours that ``migrate`` itself uses; the signal doesn't carry them."""
    return color_style() if out.isatty() and "--no-color" not in sys.argv else no_style()


def _judge(result: RunResult) -> None:
    """Raise ``CommandError`` when files were left."""
    left = [file.name for file in result.files if file.status in UNFINISHED]
    if not left:
        return
    again = "manage.py applysql" + ("" if result.database == "default" else f" --database {result.database}")
    raise CommandError(
        f"These SQL files of database '{result.database}' were not applied: {', '.join(left)}\n"
        f"Django's migrations and the SQL files that succeeded stay. Mend what is reported above and run: {again}"
    )
