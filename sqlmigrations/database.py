"""The psycopg connection below a Django one.

The history and the runner work on it directly: Django's own cursors keep every statement's text while ``DEBUG`` is on,
wrap errors, and read JSON as text and times without a zone where ``USE_TZ`` is off.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from typing import Any, NamedTuple

import psycopg
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import Error as DjangoError
from psycopg import generators, sql
from psycopg.adapt import Transformer
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult
from psycopg.rows import dict_row, tuple_row
from psycopg.types.datetime import TimestamptzLoader
from psycopg.types.json import JsonbLoader

from sqlmigrations.exceptions import DatabaseUnavailable

Connection = psycopg.Connection[Any]
Cursor = psycopg.Cursor[Any]
Query = str | bytes | sql.SQL | sql.Composed
Rows = list[tuple[Any, ...]]


def connect(alias: str) -> BaseDatabaseWrapper:
    """Return Django's connection for ``alias``, opened.

    Raises:
        DatabaseUnavailable: the alias is not PostgreSQL, or the server doesn't answer or doesn't let us in.
    """
    wrapper = connections[alias]
    if wrapper.vendor != "postgresql":
        raise DatabaseUnavailable(
            f"Database '{alias}' is {wrapper.display_name}; SQL files are applied to PostgreSQL only.",
            hint="Name another one with --database.",
        )
    try:
        wrapper.ensure_connection()
    except DjangoError as error:
        raise _unreachable(wrapper, error) from error
    return wrapper


#: Seconds to wait for the server when a pool gave nothing, and its reason is asked for.
_PATIENCE = 5


def _unreachable(wrapper: BaseDatabaseWrapper, error: DjangoError) -> DatabaseUnavailable:
    """Say why there is no connection. A pool only says how long it tried: one outside of it is told the reason."""
    why, hint = error, f"Look at DATABASES['{wrapper.alias}'] and whether its server runs."
    if wrapper.settings_dict["OPTIONS"].get("pool"):
        own = own_connection(wrapper)
        own.settings_dict["OPTIONS"].setdefault("connect_timeout", _PATIENCE)
        try:
            with closing(own):
                own.ensure_connection()
        except DjangoError as outside:
            why = outside
        else:
            hint = (
                "The server answers outside of the pool: all of its connections are in use. Give it more, with "
                f"max_size in DATABASES['{wrapper.alias}']['OPTIONS']['pool'], or run it again when there is room."
            )
    return DatabaseUnavailable(f"Database '{wrapper.alias}' can't be reached: {str(why).strip()}", hint=hint)


@contextmanager
def connected(alias: str) -> Iterator[BaseDatabaseWrapper]:
    """Open Django's connection for ``alias`` for the block; one that wasn't open before is closed at its end.

    Raises:
        DatabaseUnavailable: the alias is not PostgreSQL, can't be reached, the connection is lost in the block, its
            role lacks a right, or the server can't answer.
    """
    was_open = connections[alias].connection is not None
    wrapper = connect(alias)
    try:
        with _autocommitting(wrapper):
            yield wrapper
    except (psycopg.Error, DjangoError) as error:
        from sqlmigrations import unavailable  # few calls end so

        cause = _of_psycopg(error)
        if isinstance(cause, psycopg.errors.InsufficientPrivilege):
            raise unavailable.lacks_rights(alias, raw(wrapper).info.user, cause) from error
        if cause is not None and is_lost(cause):
            is_open = wrapper.connection is not None and not wrapper.connection.closed
            raise unavailable.lost(alias, cause, is_open=is_open) from error
        if isinstance(cause, psycopg.OperationalError):
            raise unavailable.unanswered(alias, cause) from error
        raise
    finally:
        if not was_open:
            wrapper.close()


@contextmanager
def _autocommitting(wrapper: BaseDatabaseWrapper) -> Iterator[None]:
    """Commit what is outside of transactions for the block, where ``AUTOCOMMIT`` of the alias is switched off.

    An open transaction is somebody else's and is left to them. The settings are shared by all threads: only this
    connection has others.
    """
    given = wrapper.settings_dict
    if given["AUTOCOMMIT"] or raw(wrapper).info.transaction_status is not TransactionStatus.IDLE:
        yield
        return
    wrapper.settings_dict = {**given, "AUTOCOMMIT": True}
    wrapper.set_autocommit(True)
    try:
        yield
    finally:
        wrapper.settings_dict = given
        if wrapper.connection is not None and wrapper.is_usable():
            wrapper.set_autocommit(False)


#: SQLSTATEs of a connection that the server ends: https://www.postgresql.org/docs/current/errcodes-appendix.html
_ENDED = ("08", "57P01", "57P02", "57P03", "57P04", "57P05", "25P03", "25P04")


def is_lost(error: BaseException) -> bool:
    """Tell whether an error of psycopg, or one of Django's around it, says that the connection is gone."""
    cause = _of_psycopg(error)
    if cause is None:
        return False
    if cause.sqlstate is None:  # it comes from libpq or psycopg
        return isinstance(cause, (psycopg.OperationalError, psycopg.InterfaceError))
    return cause.sqlstate.startswith(_ENDED)


def _of_psycopg(error: BaseException) -> psycopg.Error | None:
    """Return psycopg's error: the given one, or the one that Django has wrapped."""
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    return cause if isinstance(cause, psycopg.Error) else None


def raw(wrapper: BaseDatabaseWrapper) -> Connection:
    """Return the psycopg connection below ``wrapper``, opened when it isn't yet."""
    if wrapper.connection is None:
        wrapper.ensure_connection()
    connection: Connection = wrapper.connection
    return connection


def own_connection(wrapper: BaseDatabaseWrapper) -> BaseDatabaseWrapper:
    """Return a connection like ``wrapper``, not yet open, that nobody else uses and whose session ends when it does.

    One from a pool would go back there, with the locks that it holds and in the database that it is in.
    """
    own = wrapper.copy()
    own.settings_dict["OPTIONS"].pop("pool", None)
    return own


def cursor(connection: Connection) -> Cursor:
    """Return a cursor that reads times and JSON as psycopg does by itself."""
    opened = connection.cursor(row_factory=tuple_row)
    opened.adapters.register_loader("timestamptz", TimestamptzLoader)
    opened.adapters.register_loader("jsonb", JsonbLoader)
    return opened


def fetch_row(connection: Connection, statement: Query, parameters: Any = None) -> tuple[Any, ...]:
    """Return the first row. Raises ``LookupError`` when there is none."""
    row: tuple[Any, ...] | None = cursor(connection).execute(statement, parameters).fetchone()
    if row is None:
        raise LookupError("the statement returned no row")
    return row


def fetch_all(connection: Connection, statement: Query, parameters: Any = None) -> list[tuple[Any, ...]]:
    """Return all rows."""
    return cursor(connection).execute(statement, parameters).fetchall()


def fetch_dicts(connection: Connection, statement: Query, parameters: Any = None) -> list[dict[str, Any]]:
    """Return all rows by column name."""
    opened = cursor(connection)
    opened.row_factory = dict_row
    return opened.execute(statement, parameters).fetchall()


# Several statements in one message. Over a network each message costs a round trip, whatever it asks for. Outside a
# transaction block what comes in one message is one transaction:
# https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT


def apart(connection: Connection, *, rolled_back: bool = False) -> AbstractContextManager[object]:
    """Return the transaction in which to send one message: none where it is one by itself, else a savepoint.

    With ``rolled_back`` nothing of it stays in the open transaction.
    """
    is_alone = connection.autocommit and connection.info.transaction_status is TransactionStatus.IDLE
    return nullcontext() if is_alone else connection.transaction(force_rollback=rolled_back)


def fetch_together(connection: Connection, *statements: sql.Composable) -> list[Rows]:
    """Execute statements in one message, and return the rows of each."""
    answer = cursor(connection).execute(_joined(statements))
    found = []
    while True:
        found.append(answer.fetchall() if answer.description else [])
        if not answer.nextset():
            return found


class Filled(NamedTuple):
    """A statement with its values, ``%s`` standing for each, which psycopg puts in on the client's side.

    Several of them go in one message, where the server's own parameters can't be had; and composing each value with
    ``psycopg.sql`` costs several times as much.
    """

    text: str
    values: Sequence[Any] = ()


def begin_statement(connection: Connection) -> Filled:
    """Return the statement that begins a transaction as psycopg begins them on this connection."""
    level = connection.isolation_level
    return Filled(f"BEGIN ISOLATION LEVEL {level.name.replace('_', ' ')}" if level else "BEGIN")


def select(*values: Filled) -> Filled:
    """Return one statement that selects values, each worked out after the one before it.

    The server does not promise that order, but has always kept to it: a target list is worked out from left to right.
    """
    return Filled(
        f"SELECT {', '.join(value.text for value in values)}", [each for value in values for each in value.values]
    )


def fillable(statement: sql.Composable) -> str:
    """Return a composed statement as the text of a ``Filled`` one: ``%`` means a value in its placeholders only."""
    if isinstance(statement, sql.Composed):
        return "".join(map(fillable, statement))
    text = statement.as_string(None)
    return text if isinstance(statement, sql.Placeholder) else text.replace("%", "%%")


class Answer(NamedTuple):
    """The answer to one of several statements; its rows are made into Python's values when they are fetched."""

    result: PGresult
    connection: Connection

    @property
    def columns(self) -> list[tuple[str, int]]:
        """The names of the columns, each with the oid of its type."""
        names = ((self.result.fname(at) or b"").decode() for at in range(self.result.nfields))
        return [(name, self.result.ftype(at)) for at, name in enumerate(names)]

    @property
    def is_true(self) -> bool:
        """Whether the first column of its first row is true."""
        return self.result.get_value(0, 0) == b"t"

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all rows."""
        if not self.result.ntuples:
            return []
        transformer = Transformer(cursor(self.connection))
        transformer.set_pgresult(self.result)
        return transformer.load_rows(0, self.result.ntuples, tuple)


def execute_together(connection: Connection, *statements: Filled) -> list[Answer]:
    """Execute statements in one message, and return the answer to each."""
    opened = psycopg.ClientCursor(connection)
    text = "; ".join(statement.text for statement in statements)
    opened.execute(text, [value for statement in statements for value in statement.values])
    answers = []
    while True:
        if opened.pgresult is not None:
            answers.append(Answer(opened.pgresult, connection))
        if not opened.nextset():
            return answers


def ask_together(connection: Connection, statements: Iterable[sql.Composable]) -> Generator[Answer, None, None]:
    """Send single statements in one message, and yield the answer to each as it arrives.

    The server hands answers over whenever they fill its buffer, and at the end. A thread takes them meanwhile: the
    server works on them while Python works on those that have come. What is left of the statements when the generator
    is closed is cancelled.

    Raises:
        psycopg.Error: PostgreSQL refused a statement; those behind it are not executed.
    """
    asked = list(statements)
    with connection.lock:
        connection.pgconn.send_query(_joined(asked).as_bytes(connection))
        connection.wait(generators.send(connection.pgconn))
    with ThreadPoolExecutor(max_workers=1) as taking:
        coming = [taking.submit(_take, connection) for _each in (*asked, "the end")]
        try:
            for answer in coming:
                result = answer.result()
                if result is None:
                    return
                if result.status == ExecStatus.FATAL_ERROR:
                    raise psycopg.errors.error_from_result(result, connection.info.encoding)
                yield Answer(result, connection)
        finally:
            if connection.pgconn.transaction_status == TransactionStatus.ACTIVE:
                connection.cancel_safe()


def _take(connection: Connection) -> PGresult | None:
    """Wait for the next answer to what was sent; ``None`` when all have come."""
    with connection.lock:
        result: PGresult | None = connection.wait(generators.fetch(connection.pgconn))
        return result


def _joined(statements: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(";\n").join(statements)
