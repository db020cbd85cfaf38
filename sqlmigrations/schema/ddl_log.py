"""The DDL log: event triggers that write down who changed the schema, when, from what and with which statement.

Nothing that goes wrong in them ever keeps a command from running. They don't see what PostgreSQL fires no event
trigger for: roles and their memberships, ALTER DATABASE, ALTER SYSTEM, event triggers themselves, direct writes to the
catalog, and sessions for which a superuser has switched them off (``event_triggers``, from version 17).
https://www.postgresql.org/docs/current/event-trigger-definition.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql

from sqlmigrations.database import Connection, fetch_all, fetch_dicts, fetch_row
from sqlmigrations.exceptions import SQLMigrationsError
from sqlmigrations.history import Tables
from sqlmigrations.messages import gettext as _
from sqlmigrations.queries import query

#: The event triggers and the events that they wait for.
EVENTS = {"sqlmigrations_log_command": "ddl_command_end", "sqlmigrations_log_drop": "sql_drop"}

#: Their function, in the schema of the history.
FUNCTION = "sqlmigrations_log_ddl"


class DDLLogRefused(SQLMigrationsError):
    """The server doesn't let this role make or remove event triggers."""


@dataclass(frozen=True, slots=True)
class LoggedChange:
    """One change as the log has it. ``object`` is empty for GRANT and REVOKE: PostgreSQL names none there."""

    at: datetime
    xid: int
    role: str
    assumed_role: str
    application_name: str
    client_address: str
    backend_pid: int
    filename: str
    tag: str
    kind: str
    object: str
    dropped: bool
    statement: str
    query: str


@dataclass(frozen=True, slots=True)
class Trigger:
    """An event trigger of ours as the catalog has it; ``mark`` changes whenever somebody alters it."""

    name: str
    event: str
    enabled: str
    mark: str
    altered_at: datetime | None
    source: str
    is_guarded: bool
    owner: str
    can_write: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """How the log is: installed or not, and what is wrong with it."""

    is_installed: bool
    problems: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether it has seen everything since it was installed, as far as anybody can tell."""
        return self.is_installed and not self.problems


# What the database holds


def has_log(connection: Connection, tables: Tables) -> bool:
    """Tell whether the log's table is there: histories of earlier versions have none."""
    name = tables.change.as_string(connection)
    return bool(fetch_row(connection, "SELECT pg_catalog.to_regclass(%s) IS NOT NULL", [name])[0])


def read_triggers(connection: Connection, tables: Tables) -> tuple[Trigger, ...]:
    """Return those of our event triggers that are there."""
    names = {
        "change": sql.Literal(tables.change.as_string(connection)),
        "event": sql.Literal(tables.event.as_string(connection)),
        "schema": sql.Literal(tables.schema),
    }
    rows = fetch_dicts(connection, query("schema/sql/ddl_log/triggers.sql").format(**names))
    return tuple(Trigger(**row) for row in rows)


def read_changes(connection: Connection, tables: Tables, *, last: int) -> list[LoggedChange]:
    """Return the ``last`` so many changes that were logged, in the order in which they happened."""
    columns = sql.SQL(", ").join(map(sql.Identifier, LoggedChange.__slots__))
    statement = sql.SQL("SELECT {} FROM {} ORDER BY id DESC LIMIT %s").format(columns, tables.change)
    rows = fetch_all(connection, statement, [last])
    return [LoggedChange(*row) for row in reversed(rows)]


#: Changes that are read to find the authors of differences; the newest ones.
_MOST = 5_000


def read_changes_of(
    connection: Connection, tables: Tables, names: Sequence[str], parts: Sequence[str]
) -> list[LoggedChange]:
    """Return the changes of the objects ``names``, those whose statement has one of ``parts`` in it, and all grants."""
    columns = sql.SQL(", ").join(map(sql.Identifier, LoggedChange.__slots__))
    text = query("schema/sql/ddl_log/changes_of.sql").format(columns=columns, change=tables.change)
    parameters = {"names": list(names), "parts": [part.lower() for part in parts], "most": _MOST}
    return [LoggedChange(*row) for row in reversed(fetch_all(connection, text, parameters))]


def judge(triggers: Sequence[Trigger], source: str, marks: Mapping[str, str]) -> Condition:
    """Say how the log is, from its event triggers, their function's proper body and their marks when installed."""
    if not triggers:
        lost = _("its event triggers are gone, though nobody removed them with --ddl-log remove")
        return Condition(is_installed=False, problems=(lost,) if marks else ())
    return Condition(is_installed=True, problems=tuple(_problems(triggers, source, marks)))


def _problems(triggers: Sequence[Trigger], source: str, marks: Mapping[str, str]) -> Iterator[str]:
    present = {trigger.name for trigger in triggers}
    yield from (_("the event trigger {name} is gone", name=name) for name in EVENTS if name not in present)
    for trigger in triggers:
        if trigger.enabled != "A":
            states = {"D": _("disabled"), "R": _("enabled for replicas only")}
            how = states.get(trigger.enabled, _("not enabled ALWAYS"))
            yield _("the event trigger {name} is {how}", name=trigger.name, how=how)
        elif trigger.name not in marks:
            yield _(
                "the event trigger {name} was not made by --ddl-log install, or its history was lost", name=trigger.name
            )
        elif trigger.mark != marks[trigger.name]:
            when = _(" at {time}", time=f"{trigger.altered_at:%Y-%m-%d %H:%M:%S %Z}") if trigger.altered_at else ""
            yield _(
                "the event trigger {name} was altered, disabled for a time or restored from a dump since it was "
                "installed{when}: what happened in between may be missing",
                name=trigger.name,
                when=when,
            )
    if any(trigger.source != source or not trigger.is_guarded for trigger in triggers):
        yield _("the function {function}() is not the one that this version installs", function=FUNCTION)
    if unable := next((trigger.owner for trigger in triggers if not trigger.can_write), None):
        yield _("the role {role}, which owns the function, may not write to the log's table", role=unable)


# What is done to it


def function_source(connection: Connection, tables: Tables) -> str:
    """Return the body of the log's function, as the catalog holds it."""
    return _function(tables).as_string(connection).split("$logger$")[1]


def install(connection: Connection, tables: Tables) -> None:
    """Make the function and its event triggers anew, in the open transaction.

    They are enabled ALWAYS: ordinary ones are off under the ``session_replication_role`` that dumps and replication
    set.

    Raises:
        DDLLogRefused: the role may not make event triggers.
    """
    try:
        connection.execute(_drop(tables))  # the function too: REPLACE would leave it to another owner
        connection.execute(_function(tables))
        for name, event in EVENTS.items():
            create = sql.SQL("CREATE EVENT TRIGGER {0} ON {1} EXECUTE FUNCTION {2}()")
            values = sql.Identifier(name), sql.Identifier(event), _name(tables)
            connection.execute(create.format(*values))
            connection.execute(sql.SQL("ALTER EVENT TRIGGER {} ENABLE ALWAYS").format(sql.Identifier(name)))
    except psycopg.errors.InsufficientPrivilege as error:
        raise _refused(connection, "make", error) from error


def remove(connection: Connection, tables: Tables) -> None:
    """Remove the event triggers and their function, in the open transaction; what was logged stays.

    Raises:
        DDLLogRefused: the role doesn't own them.
    """
    try:
        connection.execute(_drop(tables))
    except psycopg.errors.InsufficientPrivilege as error:
        raise _refused(connection, "remove", error) from error


def prune(connection: Connection, tables: Tables, *, days: int) -> int:
    """Remove what was logged more than ``days`` days ago; return how many rows that were."""
    statement = sql.SQL("DELETE FROM {} WHERE at < pg_catalog.now() - pg_catalog.make_interval(days => %s)")
    return connection.execute(statement.format(tables.change), [days]).rowcount


def _name(tables: Tables) -> sql.Identifier:
    return sql.Identifier(tables.schema, FUNCTION)


def _function(tables: Tables) -> sql.Composed:
    text = query("schema/sql/ddl_log/function.sql")
    return text.format(function=_name(tables), change=tables.change, event=tables.event)


def _drop(tables: Tables) -> sql.Composed:
    triggers = [sql.SQL("DROP EVENT TRIGGER IF EXISTS {}").format(sql.Identifier(name)) for name in EVENTS]
    function = sql.SQL("DROP FUNCTION IF EXISTS {}()").format(_name(tables))
    return sql.SQL("; ").join([*triggers, function])


def _refused(connection: Connection, what: str, error: psycopg.Error) -> DDLLogRefused:
    """Say who may do what this role may not. Its transaction has failed, but its parameters are known."""
    role = connection.info.user
    said = error.diag.message_primary or str(error)
    return DDLLogRefused(
        f"The role {role} may not {what} the DDL log: {said}.",
        hint="PostgreSQL leaves event triggers to superusers. Managed services let other roles make them: on Amazon "
        "RDS and Aurora the master user (rds_superuser), on Google Cloud SQL members of cloudsqlsuperuser, on Supabase "
        "the role postgres. Add an alias to DATABASES that connects as such a role, and name it with --database.",
    )
