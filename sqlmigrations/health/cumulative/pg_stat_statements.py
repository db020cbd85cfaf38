"""What pg_stat_statements has seen, in the several versions of the extension, as far as the role may see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import errors, sql

from sqlmigrations.health import fixes
from sqlmigrations.health.base import Answer, Probe, Skip
from sqlmigrations.health.snapshot.sessions import SEES_ALL
from sqlmigrations.messages import counted, ngettext
from sqlmigrations.messages import gettext as _

Row = Mapping[str, Any]

EXTENSION = "pg_stat_statements"


def is_installed(probe: Probe) -> bool:
    """Say whether the database has the extension."""
    return EXTENSION in probe.capabilities.extensions


def open_statements(probe: Probe) -> tuple[Probe, float | None]:
    """Return a probe that finds the extension's views, and for how many seconds it has counted, where it knows.

    Raises:
        Skip: it is not installed, or not loaded.
    """
    if not is_installed(probe):
        raise Skip(
            _("{extension} is not installed in this database", extension=EXTENSION),
            _("CREATE EXTENSION {extension}; with shared_preload_libraries = '{extension}'", extension=EXTENSION),
        )
    its_schema = sql.Identifier(probe.capabilities.extensions[EXTENSION][0])
    opened = probe.looking_in(fixes.composed("{}", its_schema))
    try:
        return opened, _window(opened)
    except errors.UndefinedTable as error:
        role = sql.Identifier(probe.capabilities.role)
        raise Skip(
            _("{extension} is in a schema that {role} may not use", extension=EXTENSION, role=probe.capabilities.role),
            fixes.composed("GRANT USAGE ON SCHEMA {} TO {};", its_schema, role),
        ) from error
    except errors.ObjectNotInPrerequisiteState as error:
        raise Skip(
            _("{extension} is installed, but not loaded", extension=EXTENSION),
            _("Add it to shared_preload_libraries, and restart the server: '{extension}'", extension=EXTENSION),
        ) from error


def _window(probe: Probe) -> float | None:
    if not probe.capabilities.has("pg_stat_statements_info"):
        probe.fetch(fixes.composed("SELECT FROM {} LIMIT 1", sql.Identifier(EXTENSION)), None)
        return None
    seconds = probe.row("statements_window")["seconds"]
    return None if seconds is None else float(seconds)


def unless_hidden(probe: Probe, statements: Sequence[Row], given: Answer) -> Answer:
    """Return an answer about statements, unless it would say that all is well without having seen all.

    Raises:
        Skip: some are hidden, and among the others nothing was found.
    """
    unseen = sum(row["is_hidden"] for row in statements)
    if unseen and not given.findings:
        reason = ngettext(
            "{count} of {statements} is hidden from {role}",
            "{count} of {statements} are hidden from {role}",
            unseen,
            statements=counted(len(statements), "statement"),
            role=probe.capabilities.role,
        )
        raise Skip(reason, probe.grant(SEES_ALL))
    return given
