"""Checks of a deployment (``manage.py check --deploy --database default``): what one misses when it is too late."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import psycopg
from django.apps import apps
from django.core.checks import CheckMessage
from django.db import connections
from django.db.utils import Error as DjangoError
from psycopg import sql

from sqlmigrations.checks.messages import warning
from sqlmigrations.checks.settings import wrong_settings
from sqlmigrations.conf import PREFIX, settings
from sqlmigrations.database import connect, fetch_row, raw
from sqlmigrations.exceptions import SQLMigrationsError
from sqlmigrations.files.discovery import discover, folders
from sqlmigrations.files.kinds import Kind
from sqlmigrations.service.databases import has_files

#: How many files are named before the others are only counted.
NAMED = 5


def check(databases: Sequence[str]) -> Iterator[CheckMessage]:
    """Yield what is missing for those of ``databases`` that have SQL files."""
    ours = [alias for alias in databases if alias in connections and has_files(alias)]
    if wrong_settings() or not ours:
        return
    yield from _project()
    for alias in ours:
        yield from _down_scripts(alias)
        yield from _connections(alias)
        yield from _statement_timeout(alias)


def _project() -> Iterator[CheckMessage]:
    """Yield what holds for all databases."""
    if not apps.is_installed("dbbackup"):
        yield warning(
            "051",
            "No backup can be taken before a run: django-dbbackup is not among INSTALLED_APPS.",
            hint="pip install 'sqlmigrations[backup]', add 'dbbackup' to INSTALLED_APPS, and run applysql --backup.",
            obj="settings.INSTALLED_APPS",
        )
    if re.fullmatch(r"0+\s*[a-z]*", settings.LOCK_TIMEOUT):
        yield warning(
            "052",
            "A statement that waits for a lock waits for ever, and everybody else behind it.",
            hint='Set it to a few seconds: "3s".',
            obj=f"settings.{PREFIX}LOCK_TIMEOUT",
        )
    if settings.SHADOW_DATABASE is None:
        yield warning(
            "053",
            "There is no database for scratch work: files can't be rehearsed nor replayed from nothing.",
            hint="Name an alias on a server that is not the production one.",
            obj=f"settings.{PREFIX}SHADOW_DATABASE",
        )


def _down_scripts(alias: str) -> Iterator[CheckMessage]:
    """Yield the versioned files that can't be reverted."""
    found = discover(folders(alias))
    names = [file.name for file in found.files if file.kind is Kind.VERSIONED and file.down is None]
    if names:
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        yield warning(
            "054",
            f"No down script: {', '.join(names[:NAMED])}{more}.",
            hint="Write FILE.down.sql beside each file that you want to be able to revert.",
            obj=f"DATABASES['{alias}']",
        )


def _connections(alias: str) -> Iterator[CheckMessage]:
    """Report an alias that opens a connection for each request."""
    given = connections[alias].settings_dict
    if given["CONN_MAX_AGE"] == 0 and not given["OPTIONS"].get("pool"):
        yield warning(
            "055",
            "Each request opens a connection of its own and closes it: neither a pool nor persistent connections.",
            hint="Set CONN_MAX_AGE, or 'pool' in OPTIONS; behind PgBouncer silence this.",
            obj=f"DATABASES['{alias}']",
        )


def _statement_timeout(alias: str) -> Iterator[CheckMessage]:
    """Report a role whose statements may run for ever; a server that is away is told by the checks of databases."""
    try:
        role, timeout = fetch_row(
            raw(connect(alias)), "SELECT CURRENT_USER, pg_catalog.current_setting('statement_timeout')"
        )
    except (SQLMigrationsError, DjangoError, psycopg.Error):
        return
    if timeout == "0":
        fix = sql.SQL("ALTER ROLE {} SET statement_timeout = '30s';").format(sql.Identifier(role))
        yield warning(
            "056",
            f"A statement of the role '{role}' may run for ever.",
            hint=f"{fix.as_string()} A file that takes longer says so in a directive.",
            obj=f"DATABASES['{alias}']",
        )
