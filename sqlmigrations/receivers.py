"""Follows Django's ``migrate``: moves the snapshot of the schema, and applies SQL files where settings ask for it.

Every process of a project imports this module and few receive a signal: the runner is imported when one comes.
"""

from __future__ import annotations

import sys
from typing import Any

from django.apps import AppConfig
from django.core.management.base import CommandError, OutputWrapper
from django.core.management.color import Style, color_style, no_style
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate

from sqlmigrations.conf import settings

#: Seconds to wait for another run.
LOCK_WAIT = 60.0


def connect_receivers(config: AppConfig) -> None:
    """Connect our receivers; ``config`` is this app's."""
    pre_migrate.connect(look_before_migrate, sender=config, dispatch_uid="sqlmigrations.look_before_migrate")
    post_migrate.connect(look_after_migrate, sender=config, dispatch_uid="sqlmigrations.look_after_migrate")
    post_migrate.connect(apply_on_migrate, sender=config, dispatch_uid="sqlmigrations.apply_on_migrate")


def look_before_migrate(sender: AppConfig, *, using: str, **signal: Any) -> None:
    """Look at the schema that ``migrate`` is about to change; nothing where it has nothing to do."""
    if signal.get("plan") and connections[using].vendor == "postgresql":
        from sqlmigrations.service.snapshot import before_migrate

        before_migrate(using)


def look_after_migrate(sender: AppConfig, *, using: str, **signal: Any) -> None:
    """Move the schema's snapshot by what ``migrate`` changed, and by nothing else."""
    if (plan := signal.get("plan")) and connections[using].vendor == "postgresql":
        from sqlmigrations.service.snapshot import after_migrate

        after_migrate(using, [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan])


def apply_on_migrate(sender: AppConfig, *, using: str, verbosity: int = 1, **signal: Any) -> None:
    """Apply the SQL files of database ``using`` once all of Django's migrations are applied there.

    While some are pending, after ``migrate app`` or a migration backwards, the files wait: they may build on any of
    them. ``flush`` sends the signal too, without a ``plan``; it migrates nothing, and nothing is applied.

    Raises:
        CommandError: files were not applied; those that were stay.
    """
    if not settings.APPLY_ON_MIGRATE or "plan" not in signal:
        return
    from sqlmigrations.service.databases import has_files, pending_django_migrations

    if not has_files(using):
        return
    stdout = signal.get("stdout") or sys.stdout
    out = stdout if isinstance(stdout, OutputWrapper) else OutputWrapper(stdout)
    style = _style(out)
    if pending := pending_django_migrations(using):
        if verbosity:
            words = f"  SQL files wait until all of Django's migrations are applied: {len(pending)} left."
            out.write(style.NOTICE(words))
        return
    _apply(using, out, style, verbosity)


def _style(out: OutputWrapper) -> Style:
    """Return the colours that ``migrate`` itself uses; the signal doesn't carry them."""
    return color_style() if out.isatty() and "--no-color" not in sys.argv else no_style()


def _apply(alias: str, out: OutputWrapper, style: Style, verbosity: int) -> None:
    """Apply what is pending, with the screen of ``applysql``. Raises ``CommandError`` when files were left."""
    from sqlmigrations.exceptions import SQLMigrationsError
    from sqlmigrations.output.screen import Screen
    from sqlmigrations.plan import UNFINISHED
    from sqlmigrations.service.apply import ApplyOptions, apply

    try:
        with Screen(out, style, verbosity=verbosity) as screen:
            result = apply(ApplyOptions(database=alias, lock_wait=LOCK_WAIT), screen.report)
            screen.close(result)
    except SQLMigrationsError as error:
        raise CommandError(f"The SQL files of database '{alias}' were not applied.\n{error}") from error
    if left := [file.name for file in result.files if file.status in UNFINISHED]:
        raise CommandError(_left(alias, left))


def _left(alias: str, names: list[str]) -> str:
    """Say what was left, and what to do."""
    from sqlmigrations.service.databases import option

    return (
        f"These SQL files of database '{alias}' were not applied: {', '.join(names)}\n"
        "Django's migrations and the SQL files that succeeded stay. "
        f"Mend what is reported above and run: manage.py applysql{option(alias)}"
    )
