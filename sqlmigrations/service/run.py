"""Opens a run: the lock, the history's tables, the working session, the journal. Whatever writes goes through here."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import NamedTuple

import psycopg
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from sqlmigrations.database import Connection, fetch_row, is_lost, raw
from sqlmigrations.exceptions import ConfigurationError, DatabaseUnavailable
from sqlmigrations.history import Chain, Location, Tables, ensure_tables, locate, read_beginning
from sqlmigrations.runner.executor import Executor, Transaction
from sqlmigrations.runner.journal import Journal
from sqlmigrations.runner.lock import Holder, RunLock, join_lock
from sqlmigrations.runner.pipeline import Prepared
from sqlmigrations.runner.pooler import has_pooler
from sqlmigrations.runner.session import JoinedSession, Session
from sqlmigrations.runner.watcher import Blocker, Watcher
from sqlmigrations.service.told import Blocked, Tell, Waiting


@dataclass(frozen=True, slots=True)
class Run:
    """A run that holds the lock of its database."""

    id: uuid.UUID
    tables: Tables
    session: Session
    journal: Journal
    executor: Executor

    @property
    def connection(self) -> Connection:
        """The working connection."""
        return self.session.connection

    @property
    def head(self) -> str:
        """The head of the events' chain."""
        return self.journal.chain.head


@dataclass(frozen=True, slots=True)
class Actor:
    """A person for whom a run is made, and the id that the run was given when that was asked for."""

    user: str
    run: uuid.UUID


_actor: ContextVar[Actor | None] = ContextVar("sqlmigrations_actor", default=None)


@contextmanager
def acting_for(user: str, run: uuid.UUID) -> Iterator[None]:
    """Give the runs in the block the id ``run``, and name ``user`` in all their events."""
    token = _actor.set(Actor(user, run))
    try:
        yield
    finally:
        _actor.reset(token)


@contextmanager
def open_run(
    wrapper: BaseDatabaseWrapper, *, lock_wait: float, tell: Tell, location: Location | None = None
) -> Iterator[Run]:
    """Hold the run lock of one database while the block runs; leave its connection as it was found.

    Inside an open transaction, such as that of a ``TestCase``, events ride in it; otherwise they go over the lock's
    own connection. Whoever knows already where the history is gives its ``location``.

    Raises:
        RunLockHeld: another run held the lock for longer than ``lock_wait`` seconds.
        ConfigurationError: the call is inside a transaction, or the history's tables can't be found or made.
        DatabaseUnavailable: nothing can be written there.
    """
    has_waited = False

    def on_wait(holder: Holder | None) -> None:
        nonlocal has_waited
        has_waited = True
        if holder is not None:
            tell(Waiting(holder))

    def on_blocked(blockers: list[Blocker]) -> None:
        tell(Blocked(tuple(blockers)))

    _check_not_inside(wrapper)
    server = _ask_server(wrapper)
    _check_writable(wrapper.alias, server)
    with ExitStack() as stack:
        location = location or locate(raw(wrapper))
        pooler = has_pooler(raw(wrapper), server.backend_pid)
        lock = stack.enter_context(
            RunLock(wrapper, location.schema, has_pooler=pooler, wait=lock_wait, on_wait=on_wait)
        )
        if has_waited:
            _revive(wrapper)
        tables = ensure_tables(wrapper, location)
        session = Session(wrapper, pool_mode=lock.pool_mode)
        stack.callback(session.end)
        chain = _begin_chain(session, tables)
        journal = _journal(chain, session, lock)
        watcher = None
        if not wrapper.in_atomic_block:
            watcher = stack.enter_context(Watcher(journal.connect, on_blocked))
        executor = Executor(
            session,
            journal,
            watcher=watcher,
            logs_ddl=location.has_ddl_log,
            lock_wait=lock_wait,
            on_wait=on_wait,
            on_batch=tell,
        )
        yield Run(chain.run, tables, session, journal, executor)


def _journal(chain: Chain, session: Session, lock: RunLock) -> Journal:
    """Return the journal of a run that holds ``lock``; inside an open transaction its events ride in that."""
    if session.wrapper.in_atomic_block:
        return Journal(chain, lambda: session.connection, ahead=session.goes_ahead)
    prepared = None if session.is_pooled else Prepared()
    return Journal(chain, lambda: lock.connection, ahead=session.goes_ahead, prepared=prepared)


def join_run(wrapper: BaseDatabaseWrapper, *, lock_wait: float, tell: Tell) -> Run:
    """Return a run that rides in the open transaction: the run lock, records and events last as long as it does.

    Raises:
        RunLockHeld: another run held the lock for longer than ``lock_wait`` seconds.
        ConfigurationError: the history's tables can't be found or made.
    """

    def on_wait(holder: Holder | None) -> None:
        if holder is not None:
            tell(Waiting(holder))

    location = locate(raw(wrapper))
    join_lock(raw(wrapper), location.schema, wait=lock_wait, on_wait=on_wait)
    tables = ensure_tables(wrapper, location)
    session = JoinedSession(wrapper)
    chain = _begin_chain(session, tables)
    journal = Journal(chain, lambda: session.connection, ahead=session.goes_ahead)
    executor = Executor(session, journal, in_transaction=Transaction.JOINED, lock_wait=lock_wait, on_wait=on_wait)
    return Run(chain.run, tables, session, journal, executor)


def _begin_chain(session: Session, tables: Tables) -> Chain:
    """Return the chain of events behind its head, for a new run or for that of whom it is done for."""
    actor = _actor.get()
    run, user = (actor.run, actor.user) if actor else (uuid.uuid4(), "")
    head, identity, clock = read_beginning(session.connection, tables)
    return Chain(tables, head, run, identity, clock, user=user)


def _revive(wrapper: BaseDatabaseWrapper) -> None:
    """Open the connection anew if the server has ended it while it was idle, as ``idle_session_timeout`` does."""
    if not (wrapper.in_atomic_block or wrapper.is_usable()):
        wrapper.close()


class _Server(NamedTuple):
    """What a server says of itself and of our session with it."""

    is_standby: bool
    is_read_only: bool
    backend_pid: int


_SERVER = "SELECT pg_catalog.pg_is_in_recovery(), current_setting('transaction_read_only') = 'on', pg_backend_pid()"


def _ask_server(wrapper: BaseDatabaseWrapper) -> _Server:
    """Ask the server; a session that has ended is opened anew."""
    try:
        return _Server(*fetch_row(raw(wrapper), _SERVER))
    except psycopg.Error as error:
        if wrapper.in_atomic_block or not is_lost(error):
            raise
        wrapper.close()
        return _Server(*fetch_row(raw(wrapper), _SERVER))


def _check_writable(alias: str, server: _Server) -> None:
    """Check that the server is no standby and the session not read only."""
    if server.is_standby:
        raise DatabaseUnavailable(
            f"Database '{alias}' is on a standby, which is read only.",
            hint="Name an alias that leads to its primary with --database.",
        )
    if server.is_read_only:
        raise DatabaseUnavailable(
            f"Sessions with database '{alias}' are read only.",
            hint="Look for default_transaction_read_only: in the alias's OPTIONS, or set for its role or database.",
        )


def _check_not_inside(wrapper: BaseDatabaseWrapper) -> None:
    """Check that no transaction is open but that of a ``TestCase``, inside which a durable block is allowed."""
    inside = ConfigurationError(
        "SQL files can't be applied inside a transaction: each is committed with its own record.",
        hint="Call it outside atomic(), or without ATOMIC_REQUESTS.",
    )
    if not wrapper.in_atomic_block:
        if not wrapper.get_autocommit():  # somebody has begun it with AUTOCOMMIT switched off
            raise inside
        return
    try:
        with transaction.atomic(using=wrapper.alias, durable=True):
            pass
    except RuntimeError as error:
        raise inside from error
