"""System checks: what ``manage.py check`` says of the settings, the files and, with ``--database``, the databases.

Every message has an id, a hint and a section of its own in the documentation. Ids are never reused.

Servers register the checks and never run them, so the modules that do the work are imported when they run.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.core.checks import CheckMessage, Tags, register

#: ``manage.py check --tag sqlmigrations`` runs ours alone.
TAG = "sqlmigrations"
#: The check of the settings alone, which our commands run before they do something.
SETTINGS = "sqlmigrations_settings"


def register_checks() -> None:
    """Register all checks."""
    register(check_settings, TAG, SETTINGS)
    register(check_files, TAG, Tags.files)
    register(check_routing, TAG)
    register(check_databases, TAG, Tags.database)
    register(check_deployment, TAG, Tags.database, deploy=True)


def check_settings(**kwargs: object) -> list[CheckMessage]:
    """Check every ``SQLMIGRATIONS_*`` setting of the project."""
    from sqlmigrations.checks import settings

    return list(settings.check())


def check_files(**kwargs: object) -> list[CheckMessage]:
    """Check the folders, the files' names and directives, and what they require, for every database."""
    from sqlmigrations.checks import files

    return list(files.check())


def check_routing(**kwargs: object) -> list[CheckMessage]:
    """Check that every database with SQL files can have them, and that our commands are found."""
    from sqlmigrations.checks import routing

    return list(routing.check())


def check_databases(databases: Sequence[str] | None = None, **kwargs: object) -> list[CheckMessage]:
    """Check those of ``databases`` that have SQL files; nothing without ``databases``."""
    if not databases:
        return []
    from sqlmigrations.checks import databases as checks

    return list(checks.check(databases))


def check_deployment(databases: Sequence[str] | None = None, **kwargs: object) -> list[CheckMessage]:
    """Check what those of ``databases`` that have SQL files should have in production."""
    if not databases:
        return []
    from sqlmigrations.checks import deployment

    return list(deployment.check(databases))
