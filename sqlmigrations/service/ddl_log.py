"""Installs, removes and shows the DDL log. Installing and removing are events of the history."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import psycopg
from django.db import DEFAULT_DB_ALIAS
from psycopg import sql

from sqlmigrations.conf import settings
from sqlmigrations.database import Connection, apart, connected, fetch_all, is_lost, raw
from sqlmigrations.exceptions import ConfigurationError
from sqlmigrations.history import Event, Tables, locate
from sqlmigrations.messages import gettext as _
from sqlmigrations.models import EventType
from sqlmigrations.schema import ddl_log
from sqlmigrations.schema.ddl_log import Condition, LoggedChange
from sqlmigrations.schema.difference import Skipped
from sqlmigrations.service.run import Run, open_run
from sqlmigrations.service.told import LOCK_WAIT, Tell

logger = logging.getLogger("sqlmigrations")

#: How many changes are shown: the last ones.
SHOWN = 100


@dataclass(frozen=True, slots=True)
class Installation:
    """The last thing that was done to the log: installed with these marks, or removed (no marks)."""

    at: datetime
    role: str
    marks: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DDLLogReport:
    """How the log is, since when, and what it has written last; ``changed`` tells whether this call did anything."""

    database: str
    condition: Condition
    installed: Installation | None = None
    changes: tuple[LoggedChange, ...] = ()
    changed: bool = False
    before: Condition | None = None


def show_ddl_log(database: str = DEFAULT_DB_ALIAS) -> DDLLogReport:
    """Return how the log is and the last changes in it. Nothing is made or changed.

    Raises:
        DatabaseUnavailable: the database can't be asked.
    """
    with connected(database) as wrapper:
        connection = raw(wrapper)
        tables = locate(connection).tables
        if tables is None or not ddl_log.has_log(connection, tables):
            return DDLLogReport(database, Condition(is_installed=False))
        return _report(database, connection, tables, last=SHOWN)


def doubts(database: str, connection: Connection, tables: Tables | None) -> tuple[Skipped, ...]:
    """Say what keeps the log from naming every author, where one was installed: that it was off for a time, say."""
    if tables is None or not ddl_log.has_log(connection, tables):
        return ()
    problems = _report(database, connection, tables, last=0).condition.problems
    remedy = _("Mend it with: manage.py validateschema --ddl-log install")
    return tuple(Skipped(_("some authors"), problem, remedy, asked=False) for problem in problems)


def install_ddl_log(database: str, *, tell: Tell) -> DDLLogReport:
    """Install the log, or mend it; do nothing where it is as it should be.

    Raises:
        DDLLogRefused: the role may not make event triggers.
        ConfigurationError: it may, but not write to the log's table.
        RunLockHeld: another run went on for too long.
        DatabaseUnavailable: the database can't be reached.
    """
    with connected(database) as wrapper, open_run(wrapper, lock_wait=LOCK_WAIT, tell=tell) as run:
        connection, tables = run.connection, run.tables
        before = _report(database, connection, tables, last=0)
        prune_ddl_log(connection, tables)
        if before.condition.is_complete:
            return before
        with run.journal.over_lock() as locked, locked.transaction():
            ddl_log.install(locked, tables)
            installed = ddl_log.read_triggers(locked, tables)
            if unable := [trigger for trigger in installed if not trigger.can_write]:
                raise _unable(unable[0].owner, tables, locked)
            marks = {trigger.name: trigger.mark for trigger in installed}
            _append(run, EventType.DDL_LOG_INSTALLED, {"event_triggers": marks}, before.condition)
        after = _report(database, connection, tables, last=0)
        return DDLLogReport(database, after.condition, after.installed, changed=True, before=before.condition)


def remove_ddl_log(database: str, *, tell: Tell) -> DDLLogReport:
    """Remove the log's event triggers; what was logged stays.

    Raises:
        DDLLogRefused: the role doesn't own the event triggers.
        RunLockHeld: another run went on for too long.
        DatabaseUnavailable: the database can't be reached.
    """
    with connected(database) as wrapper, open_run(wrapper, lock_wait=LOCK_WAIT, tell=tell) as run:
        before = _report(database, run.connection, run.tables, last=0)
        if not before.condition.is_installed and not before.condition.problems:
            return before
        with run.journal.over_lock() as locked, locked.transaction():
            ddl_log.remove(locked, run.tables)
            _append(run, EventType.DDL_LOG_REMOVED, {}, before.condition)
        after = _report(database, run.connection, run.tables, last=0)
        return DDLLogReport(database, after.condition, after.installed, changed=True, before=before.condition)


def prune_ddl_log(connection: Connection, tables: Tables) -> int:
    """Remove what is older than the settings want it kept; return how many changes that were.

    A failure is logged, and nothing else: what a run has done does not depend on it.
    """
    days: int | None = settings.DDL_LOG_DAYS
    if days is None:
        return 0
    try:
        with apart(connection):
            return ddl_log.prune(connection, tables, days=days)
    except psycopg.errors.UndefinedTable:
        return 0
    except psycopg.Error as error:
        if is_lost(error):
            raise
        logger.warning("The DDL log was not pruned: %s", str(error).strip())
        return 0


def _append(run: Run, type: EventType, details: dict[str, object], before: Condition) -> None:
    """Append the event, with what was wrong before: that the log was off for a time stays on record."""
    found = {"found": list(before.problems)} if before.problems else {}
    run.journal.append(Event(type, "", details={**details, **found}))


def _report(database: str, connection: Connection, tables: Tables, *, last: int) -> DDLLogReport:
    installation = _installation(connection, tables)
    marks = installation.marks if installation else {}
    source = ddl_log.function_source(connection, tables)
    condition = ddl_log.judge(ddl_log.read_triggers(connection, tables), source, marks)
    changes = ddl_log.read_changes(connection, tables, last=last)
    return DDLLogReport(database, condition, installation if marks else None, tuple(changes))


def _installation(connection: Connection, tables: Tables) -> Installation | None:
    """Return what the history last says of the log."""
    statement = sql.SQL("SELECT at, role, details FROM {} WHERE type = ANY(%s) ORDER BY id DESC LIMIT 1")
    types = [str(EventType.DDL_LOG_INSTALLED), str(EventType.DDL_LOG_REMOVED)]
    for at, role, details in fetch_all(connection, statement.format(tables.event), [types]):
        return Installation(at, role, details.get("event_triggers", {}))
    return None


def _unable(owner: str, tables: Tables, connection: Connection) -> ConfigurationError:
    change, event = tables.change.as_string(connection), tables.event.as_string(connection)
    role = sql.Identifier(owner).as_string(connection)
    return ConfigurationError(
        f"The role {owner} may make event triggers, but not write to the log's table.",
        hint=f"As the owner of the tables: GRANT USAGE ON SCHEMA {sql.Identifier(tables.schema).as_string(connection)} "
        f"TO {role}; GRANT INSERT ON {change} TO {role}; GRANT SELECT ON {event} TO {role};",
    )
