"""The working connection's session: what it was at the start, and how each file leaves it so again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from sqlmigrations.conf import settings
from sqlmigrations.database import (
    Connection,
    Filled,
    Rows,
    apart,
    execute_together,
    fetch_all,
    fetch_row,
    fetch_together,
    fillable,
    raw,
)
from sqlmigrations.queries import query
from sqlmigrations.runner.pooler import PoolMode, backend_pid
from sqlmigrations.runner.send import Aside

#: What a run sets for its time: the server notices soon that its client is gone, and ends what it is doing for it; and
#: it bears with a client that reads files, or waits before the next try. Files are split as PostgreSQL reads them by
#: default, whatever the role or the database makes of a backslash in a string.
RUNNING = {
    "client_connection_check_interval": "500ms",
    "idle_session_timeout": "0",
    "standard_conforming_strings": "on",
}

#: The parts of DISCARD ALL, which itself is refused inside a transaction block. Deferred constraints come first:
#: their violation must fail while the transaction can still be rolled back.
#: https://www.postgresql.org/docs/current/sql-discard.html
_RESET = tuple(
    map(
        sql.SQL,
        (
            "SET CONSTRAINTS ALL IMMEDIATE",
            "CLOSE ALL",
            "SET SESSION AUTHORIZATION DEFAULT",
            "RESET ALL",
            "DEALLOCATE ALL",
            "UNLISTEN *",
            "DISCARD PLANS",
            "DISCARD TEMP",
            "DISCARD SEQUENCES",
        ),
    )
)

_TRANSACTION_ID = sql.SQL("pg_catalog.pg_current_xact_id_if_assigned()")

_UNLOCK = sql.SQL("pg_catalog.pg_advisory_unlock_all()")

_WHO = sql.SQL("SELECT current_setting('role'), session_user, pg_catalog.pg_backend_pid()")


@dataclass(frozen=True, slots=True)
class StartValues:
    """What Django, a pooler or a receiver of ``connection_created`` had set on the session before the first file."""

    settings: tuple[tuple[str, str], ...]
    role: str
    session_user: str

    def restore_roles(self, *, local: bool = False) -> list[sql.Composed]:
        """Return what takes on the roles again, as expressions; perhaps for the open transaction only."""
        roles = (("session_authorization", self.session_user), ("role", self.role))
        return [_set(role, local=local) for role in roles]

    def restore_settings(self) -> list[sql.Composed]:
        """Return what sets the settings again, as expressions."""
        return [_set(setting, local=False) for setting in self.settings]


def _set(setting: tuple[str, str], *, local: bool) -> sql.Composed:
    """Return an expression that sets a setting for the session or the transaction."""
    return sql.SQL("pg_catalog.set_config({}, {}, {})").format(*map(sql.Literal, (*setting, local)))


def _select(values: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL("SELECT ") + sql.SQL(", ").join(values)


class Session:
    """The working connection between the first file and the last."""

    def __init__(self, wrapper: BaseDatabaseWrapper, *, pool_mode: PoolMode = PoolMode.NONE) -> None:
        self.wrapper = wrapper
        self.pool_mode = pool_mode
        #: Whether statements go without waiting for each other's answers; not every pooler bears that.
        self.goes_ahead = bool(settings.PIPELINE) and not self.is_pooled
        self._found: dict[str, str] = {}
        self._backend_pid: int = 0
        self.begin()

    @property
    def connection(self) -> Connection:
        """The psycopg connection."""
        return raw(self.wrapper)

    @property
    def is_pooled(self) -> bool:
        """Whether the backend is another one's as soon as a transaction ends."""
        return self.pool_mode is PoolMode.TRANSACTION

    @property
    def is_alive(self) -> bool:
        """Whether the connection is open, as far as is known without asking the server.

        Django opens another one by itself where it leaves a transaction whose connection was lost. That one has none of
        this session's settings.
        """
        return self.wrapper.connection is self._begun and not self._begun.closed

    @property
    def backend_pid(self) -> int:
        """The pid of the backend that works for us; where one is lent, of the one that does so at this moment.

        What psycopg knows of it is a pooler's word, where there is one.
        """
        return backend_pid(self.connection) if self.is_pooled else self._backend_pid

    def keeps_backend(self) -> bool:
        """Tell whether the session has one backend as long as it lives, as far as is known by now."""
        if self.pool_mode is PoolMode.SESSION:
            return backend_pid(self.connection) == self._backend_pid
        return self.pool_mode is PoolMode.NONE

    def begin(self) -> None:
        """Remember the session's values; called again after a reconnection."""
        self._begun = self.connection
        [(role, session_user, self._backend_pid)], rows = self._set_up(_WHO, query("runner/sql/session_settings.sql"))
        self.start = StartValues(tuple((name, setting) for name, setting in rows), role, session_user)
        # Composed once, and sent behind every file.
        rest = _select([_TRANSACTION_ID, *self.start.restore_roles(), _UNLOCK, *self.start.restore_settings()])
        self._reset = tuple(Filled(fillable(part)) for part in (*_RESET, rest))

    def _set_up(self, *questions: sql.Composable) -> list[Rows]:
        """Set what a run needs, and return the answers to questions: behind that, and in one message with it.

        Behind a pooler, what is set would stay on somebody else's backend.
        """
        if self.is_pooled:
            return fetch_together(self.connection, *questions)
        try:
            self._found, answers = self._change(RUNNING, *questions)
        except psycopg.Error:  # the server's platform doesn't allow one of them
            self._found = self._change_one_by_one(RUNNING)
            answers = fetch_together(self.connection, *questions)
        return answers

    def _change_one_by_one(self, values: Mapping[str, str]) -> dict[str, str]:
        """Change those settings of the session that the server's platform allows; return what they were."""
        found: dict[str, str] = {}
        for name, value in values.items():
            with suppress(psycopg.Error):
                found |= self._change({name: value})[0]
        return found

    def _change(self, values: Mapping[str, str], *questions: sql.Composable) -> tuple[dict[str, str], list[Rows]]:
        """Change settings of the session, and return what they were, and the answers to questions that follow.

        Raises:
            psycopg.Error: one of them is refused; none is changed.
        """
        asked = [sql.SQL("current_setting({})").format(sql.Literal(name)) for name in values]
        changes = [
            sql.SQL("set_config({}, {}, false)").format(sql.Literal(name), sql.Literal(setting))
            for name, setting in values.items()
        ]
        with apart(self.connection):
            [found], _changed, *answers = fetch_together(self.connection, _select(asked), _select(changes), *questions)
        return dict(zip(values, found, strict=True)), answers

    def leaving(self) -> Aside | None:
        """Return what brings the session back to its start values; its value is the transaction's id, if it has one.

        The first of it fails where a deferred constraint is violated. ``None`` says that ``reset`` has to look first.
        """
        return Aside(self._reset)

    def reset(self) -> str | None:
        """Bring the session back to its start values; return the transaction's id, if it has one. All in one message.

        Raises:
            psycopg.Error: a deferred constraint is violated.
        """
        return Aside(self._reset, execute_together(self.connection, *self._reset)).value

    def step_back(self) -> None:
        """Return to the roles of the start until the open transaction ends: the file may have taken on another one."""
        start = sql.SQL("SET LOCAL SESSION AUTHORIZATION DEFAULT")
        fetch_together(self.connection, start, _select(self.start.restore_roles(local=True)))

    def reconnect(self) -> None:
        """Open the connection anew after it was lost."""
        self.wrapper.close()
        self.begin()

    def end(self) -> None:
        """Leave the connection with the settings that it was found with."""
        if self.is_alive and not (self.is_pooled or self.wrapper.in_atomic_block):
            with suppress(psycopg.Error):  # it was lost meanwhile
                self._change(self._found)


class JoinedSession(Session):
    """The session of a transaction that a file joins.

    What others did in it is theirs: their cursors, temporary tables, settings and deferred constraints stay. Only the
    settings and roles that the file itself changed are put back.
    """

    def _set_up(self, *questions: sql.Composable) -> list[Rows]:
        """Leave the session as it is, and return the answers to questions."""
        return fetch_together(self.connection, *questions)

    def leaving(self) -> None:
        """Say that what is put back depends on what the file changed."""

    def reset(self) -> str:
        """Put back what the file changed; return the transaction's id, if it has one."""
        role, session_user = fetch_row(self.connection, "SELECT current_setting('role'), session_user")
        if (role, session_user) != (self.start.role, self.start.session_user):
            default = sql.SQL("SET SESSION AUTHORIZATION DEFAULT")
            fetch_together(self.connection, default, _select(self.start.restore_roles()))
        now = dict(fetch_all(self.connection, query("runner/sql/session_settings.sql")))
        before = dict(self.start.settings)
        for name in sorted(now.keys() | before.keys()):
            if now.get(name) != before.get(name):  # NULL is the value that the setting has by itself
                self.connection.execute("SELECT pg_catalog.set_config(%s, %s, false)", [name, before.get(name)])
        return str(fetch_row(self.connection, "SELECT pg_catalog.pg_current_xact_id_if_assigned()")[0])

    def end(self) -> None:
        """Leave the connection to the transaction."""
