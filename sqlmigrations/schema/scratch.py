"""Scratch databases: made for one purpose, guarded, and removed whatever happens.

Everything that needs a database to try things in gets it here, and nowhere else. A scratch database is a new one on the
server of the live database, or on that of ``SQLMIGRATIONS_SHADOW_DATABASE``. While it lives, its maker holds an
advisory lock on a session of its own, so that whoever comes next can tell the left-over of a killed run from a database
in use, also from another machine.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import psycopg
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import Error as DjangoError
from django.utils.connection import ConnectionDoesNotExist
from psycopg import sql

from sqlmigrations.conf import settings
from sqlmigrations.database import Connection, fetch_all, fetch_dicts, raw
from sqlmigrations.exceptions import SQLMigrationsError
from sqlmigrations.messages import counted
from sqlmigrations.messages import gettext as _
from sqlmigrations.queries import query
from sqlmigrations.schema.given_database import MARK, NotEmptied, emptied
from sqlmigrations.schema.likeness import locale_options, set_like
from sqlmigrations.schema.stand_in import pointed_at, scratch_connection, standing_in

logger = logging.getLogger("sqlmigrations")

PREFIX = "sqlmigrations_scratch"

#: First key of the lock that a scratch database's maker holds; "SQLS" in ASCII. The second one ends the name.
LOCK_CLASS = int.from_bytes(b"SQLS", "big")

#: A scratch database's name: pid of its maker, start in seconds since 1970, key of its lock.
_NAME = re.compile(rf"^{PREFIX}_[0-9]+_[0-9]+_[0-9a-f]{{8}}$")


class NoScratch(SQLMigrationsError):
    """There can be no scratch database; ``reason`` says why, ``remedy`` what would help."""

    def __init__(self, reason: str, remedy: str) -> None:
        self.reason = reason
        self.remedy = remedy
        super().__init__(f"No scratch database can be had: {reason}.", hint=remedy)


@dataclass(frozen=True, slots=True)
class Server:
    """Where a session is. ``server`` is the cluster's system identifier, ``None`` where it may not be asked."""

    server: str | None
    database: int
    name: str
    major: int
    is_standby: bool
    may_create: bool
    role: str

    def is_same_database(self, other: Server) -> bool:
        """Say whether both are in one database; servers that don't tell who they are count as the same one."""
        unknown = self.server is None or other.server is None
        return (unknown or self.server == other.server) and self.database == other.database


def server_of(connection: Connection) -> Server:
    """Ask a session where it is."""
    return Server(**fetch_dicts(connection, query("schema/sql/scratch/server.sql"))[0])


@dataclass(frozen=True, slots=True)
class Scratch:
    """A scratch database. ``wrapper`` is a Django connection of its own with the live database's alias.

    It is empty, or a copy of the live one with all its rows; ``why_empty`` says why it is none where one was asked for.
    """

    name: str
    live: BaseDatabaseWrapper
    wrapper: BaseDatabaseWrapper
    is_copy: bool = False
    why_empty: str = ""

    @property
    def connection(self) -> Connection:
        """The psycopg connection, in autocommit."""
        return raw(self.wrapper)

    def standing_in(self) -> AbstractContextManager[BaseDatabaseWrapper]:
        """Let the live database's aliases mean this one in the block, and close all others; in this thread alone."""
        return standing_in(self.live, self.wrapper)


# Making one


@contextmanager
def scratch_database(live: BaseDatabaseWrapper, purpose: str, *, as_copy: bool = False) -> Iterator[Scratch]:
    """Make an empty database like the live one for the block, and remove it at its end.

    ``purpose`` is a word for people who find it. Left-overs of killed runs are removed first. With ``as_copy`` the
    server copies the live database as a template, where nobody else is in it; our own connection is opened anew.

    Raises:
        NoScratch: it can't be had, or must not be.
    """
    if settings.PRODUCTION:
        raise NoScratch(
            _("SQLMIGRATIONS_PRODUCTION is set"),
            _("Do it where it is not: on a developer's machine, in CI, in staging."),
        )
    with ExitStack() as stack:
        outside, why_empty = _outside(live) if as_copy else (None, "")
        host = stack.enter_context(closing(outside or _host(live)))
        there, on_shadow = server_of(_opened(host)), host.alias != live.alias
        _check(there, server_of(raw(live)), on_shadow=on_shadow)
        if not there.may_create:
            yield replace(stack.enter_context(_given(host, there, live)), why_empty=why_empty)
            return
        reap(raw(host))
        keeper = stack.enter_context(closing(scratch_connection(host)))
        name = _keep_name(_opened(keeper))
        stack.callback(_drop, host, name)
        if outside is not None:
            why_empty = _copy(raw(host), name, live, purpose)
        is_copy = outside is not None and not why_empty
        oid = _oid(raw(host), name) if is_copy else _create(raw(host), name, raw(live), purpose)
        wrapper = stack.enter_context(closing(pointed_at(live if host.alias == live.alias else host, name)))
        wrapper.alias = live.alias
        _check_is_it(server_of(_opened(wrapper)), name, oid, server_of(raw(live)))
        yield Scratch(name, live, wrapper, is_copy, why_empty)


def _host(live: BaseDatabaseWrapper) -> BaseDatabaseWrapper:
    """Return a connection of our own to where scratch databases are made.

    Raises:
        NoScratch: the setting names a database that can't be used.
    """
    alias = settings.SHADOW_DATABASE
    if alias is None or alias == live.alias:
        return scratch_connection(live)
    try:
        shadow = connections[alias]
    except ConnectionDoesNotExist as error:
        raise NoScratch(
            _("SQLMIGRATIONS_SHADOW_DATABASE names the database '{alias}', which DATABASES doesn't have", alias=alias),
            _("Name one of DATABASES, or leave the setting out."),
        ) from error
    if shadow.vendor != "postgresql":
        raise NoScratch(
            _("database '{alias}' is {kind}", alias=alias, kind=shadow.display_name), _("Name one that is PostgreSQL.")
        )
    return scratch_connection(shadow)


def _opened(wrapper: BaseDatabaseWrapper) -> Connection:
    """Open a connection, in autocommit.

    Raises:
        NoScratch: it can't be opened.
    """
    try:
        wrapper.ensure_connection()
        wrapper.set_autocommit(True)
    except DjangoError as error:
        where = wrapper.settings_dict["NAME"]
        remedy = _("Behind a pooler, name an alias that goes to the server itself in SQLMIGRATIONS_SHADOW_DATABASE.")
        if wrapper.alias == settings.SHADOW_DATABASE:
            remedy = _(
                "Look at DATABASES['{alias}'], which SQLMIGRATIONS_SHADOW_DATABASE names, and whether its server runs.",
                alias=wrapper.alias,
            )
        raise NoScratch(
            _("database {where} can't be reached: {error}", where=where, error=_first_line(error)), remedy
        ) from error
    return raw(wrapper)


def _first_line(error: DjangoError) -> str:
    """Return the first line of an error, to stand within a sentence."""
    return str(error).strip().partition("\n")[0]


def _check(host: Server, live: Server, *, on_shadow: bool) -> None:
    """Check that a database can be made on ``host`` that is like the live one.

    Raises:
        NoScratch: it can't.
    """
    if host.is_standby:
        remedy = _("Name an alias on another server in SQLMIGRATIONS_SHADOW_DATABASE.")
        raise NoScratch(_("the server is a standby, which is read only"), remedy)
    if not host.may_create and not on_shadow:
        role = sql.Identifier(host.role).as_string(None)
        remedy = _(
            "ALTER ROLE {role} CREATEDB; or name an alias whose role may in SQLMIGRATIONS_SHADOW_DATABASE.", role=role
        )
        raise NoScratch(_("role {role} may not create databases", role=role), remedy)
    if on_shadow and host.major != live.major:
        reason = _(
            "SQLMIGRATIONS_SHADOW_DATABASE is PostgreSQL {version}, the live database {live}",
            version=host.major,
            live=live.major,
        )
        raise NoScratch(
            reason, _("Name a server of version {live}: versions spell the same object differently.", live=live.major)
        )


@contextmanager
def _given(host: BaseDatabaseWrapper, there: Server, live: BaseDatabaseWrapper) -> Iterator[Scratch]:
    """Use the shadow database itself, whose role may create none: it says that it may be emptied.

    Raises:
        NoScratch: it doesn't, it is the live one, or it can't be emptied.
    """
    name = sql.Identifier(there.name).as_string(None)
    if there.is_same_database(server_of(raw(live))):
        raise NoScratch(
            _("SQLMIGRATIONS_SHADOW_DATABASE leads to {name}, the live database", name=name), _("Name another one.")
        )
    try:
        with emptied(raw(host)), closing(pointed_at(host, there.name)) as wrapper:
            wrapper.alias = live.alias
            _check_is_it(server_of(_opened(wrapper)), there.name, there.database, server_of(raw(live)))
            yield Scratch(there.name, live, wrapper)
    except NotEmptied as error:
        role = sql.Identifier(there.role).as_string(None)
        raise NoScratch(
            _(
                "role {role} may not create databases, and {name} can't be used itself: {error}",
                role=role,
                name=name,
                error=error,
            ),
            _(
                "ALTER ROLE {role} CREATEDB; or let it own {name}, with nothing in it that matters, "
                "and say so: COMMENT ON DATABASE {name} IS '{mark}';",
                role=role,
                name=name,
                mark=MARK,
            ),
        ) from error


def _check_is_it(found: Server, name: str, oid: int, live: Server) -> None:
    """Check that a session is in the database that was just made, whatever a pooler took its name for.

    Raises:
        NoScratch: it is somewhere else.
    """
    if found.name != name or found.database != oid or found.is_same_database(live):
        raise NoScratch(
            _("the connection to {name} leads to database {other}", name=name, other=found.name),
            _("Name an alias that goes to the server itself, not through a pooler, in SQLMIGRATIONS_SHADOW_DATABASE."),
        )


def _keep_name(keeper: Connection) -> str:
    """Return a new name and hold its lock, in a transaction that stays open and idle: that works behind poolers too."""
    key = secrets.randbits(31)
    keeper.autocommit = False
    keeper.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    keeper.execute("SELECT pg_catalog.pg_advisory_xact_lock(%s, %s)", [LOCK_CLASS, key])
    return f"{PREFIX}_{os.getpid()}_{int(time.time())}_{key:08x}"


def _create(host: Connection, name: str, live: Connection, purpose: str) -> int:
    """Make the database with the live one's locale and settings; return its oid.

    Raises:
        NoScratch: the server refuses.
    """
    identifier = sql.Identifier(name)
    like_live = locale_options(fetch_dicts(live, query("schema/sql/scratch/locale.sql"))[0])
    try:
        host.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0 {}").format(identifier, like_live))
        host.execute(_comment(name, purpose))
    except psycopg.Error as error:
        raise NoScratch(
            _("the server refuses to make it: {error}", error=error.diag.message_primary or error),
            _("Name an alias on a server that has what the live one has in SQLMIGRATIONS_SHADOW_DATABASE."),
        ) from error
    set_like(host, name, fetch_all(live, query("schema/sql/scratch/settings.sql")))
    return _oid(host, name)


def _comment(name: str, purpose: str) -> sql.Composed:
    """Return the statement that says what a database is for, and whose it is."""
    maker = f"pid {os.getpid()} on {socket.gethostname()}, {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    comment = f"Scratch database of sqlmigrations for: {purpose} ({maker}). It can be dropped when that is done."
    return sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(comment))


def _oid(host: Connection, name: str) -> int:
    ((oid,),) = fetch_all(host, "SELECT oid::bigint FROM pg_catalog.pg_database WHERE datname = %s", [name])
    return int(oid)


# As a copy

#: The database that a session goes to which must not be in the live one: initdb makes it for that.
OUTSIDE = "postgres"


def _outside(live: BaseDatabaseWrapper) -> tuple[BaseDatabaseWrapper | None, str]:
    """Return a connection to the live database's server that is in another database, or why there is none."""
    if settings.SHADOW_DATABASE not in (None, live.alias):
        return None, "SQLMIGRATIONS_SHADOW_DATABASE names another place"
    if live.in_atomic_block or raw(live).info.dbname == OUTSIDE:
        return None, "our own connection can't leave it"
    own = pointed_at(live, OUTSIDE)
    try:
        with closing(own):
            own.ensure_connection()
    except DjangoError as error:
        return None, f"database {OUTSIDE} can't be reached: {_first_line(error)}"
    return own, ""


def _copy(host: Connection, name: str, live: BaseDatabaseWrapper, purpose: str) -> str:
    """Make the database as a copy of the live one; return why the server can't, or nothing.

    A template must have no session but ours, which is closed for it.
    https://www.postgresql.org/docs/current/manage-ag-templatedbs.html
    """
    source, own = raw(live).info.dbname, raw(live).info.backend_pid
    found = fetch_all(raw(live), query("schema/sql/scratch/settings.sql"))
    live.close()
    try:
        ((others,),) = fetch_all(host, query("schema/sql/scratch/sessions.sql"), {"database": source, "own": own})
        if others:
            return f"{counted(others, 'other session')} {'is' if others == 1 else 'are'} in it"
        making = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        host.execute(making.format(sql.Identifier(name), sql.Identifier(source)))
    except psycopg.Error as error:
        return f"the server refuses: {error.diag.message_primary or error}"
    finally:
        live.connect()
        live.set_autocommit(True)
    with suppress(psycopg.Error):  # for people who find it; it is there, and the copy stands without
        host.execute(_comment(name, purpose))
    set_like(host, name, found)
    return ""


# Removing


def _drop(host: BaseDatabaseWrapper, name: str) -> None:
    """Remove a scratch database over the connection that made it, or over a new one when that was lost."""
    for _attempt in range(2):
        try:
            _drop_database(_opened(host) if host.connection is None else raw(host), name)
            return
        except (psycopg.Error, DjangoError, NoScratch) as error:
            failure = error
            with suppress(psycopg.Error, DjangoError):
                host.close()
    logger.warning("The scratch database %s could not be removed; the next run tries again: %s", name, failure)


def _drop_database(connection: Connection, name: str) -> None:
    """Remove a database that has the name of a scratch one, sessions in it included."""
    if not _NAME.match(name):
        raise ValueError(f"{name} is no scratch database")
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def reap(connection: Connection) -> list[str]:
    """Remove what killed runs left behind, and return its names; ``connection`` is in autocommit."""
    parameters = {"pattern": _NAME.pattern, "class": LOCK_CLASS}
    reaped = []
    for (name,) in fetch_all(connection, query("schema/sql/scratch/left_over.sql"), parameters):
        try:
            _drop_database(connection, name)
        except psycopg.Error as error:  # another run removes it at this moment, or it isn't ours
            logger.info("The scratch database %s of a killed run could not be removed: %s", name, error)
        else:
            reaped.append(name)
            logger.info("The scratch database %s of a killed run was removed.", name)
    return reaped
