"""Runs files where they can do no harm, and measures what each statement takes and does.

Two sessions: one runs the file as a run would, the other looks on. What the second one sees in ``pg_locks`` are the
relations that were there before; what the first one is told at ``debug1`` is what the server did to them. Where the
statements run is the caller's choice: a scratch database, in which each file is committed, or a transaction that the
caller rolls back.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

import psycopg
from django.db import transaction
from psycopg.errors import Diagnostic

from sqlmigrations.database import Connection, fetch_all, fetch_row
from sqlmigrations.exceptions import InvalidFile
from sqlmigrations.files.batches import Unbatchable
from sqlmigrations.files.scripts import Script
from sqlmigrations.files.statements import Statement
from sqlmigrations.runner import concurrent
from sqlmigrations.runner import failure as failures
from sqlmigrations.runner.failure import Failure, StatementFailed
from sqlmigrations.runner.held_locks import HeldLock, held_locks
from sqlmigrations.runner.measurements import Block, Rehearsed
from sqlmigrations.runner.measuring import MeasuredTransaction, Measuring
from sqlmigrations.runner.pooler import backend_pid
from sqlmigrations.runner.session import Session
from sqlmigrations.runner.table_work import Work, read
from sqlmigrations.runner.verify import VerifyFailed


class Rehearsal:
    """A rehearsal of several scripts, one after the other.

    ``session`` runs them and ``observer`` looks on, both in the same database. ``is_surrounded`` says that the caller
    rolls all of it back, so that no script has a transaction of its own: a lock that an earlier script has taken is
    not seen again then. ``statement_timeout`` holds where a script has none. ``leaves_out`` says what is not run.
    """

    def __init__(
        self,
        session: Session,
        observer: Connection,
        *,
        is_surrounded: bool = False,
        statement_timeout: str | None = None,
        leaves_out: Callable[[Statement], str] = lambda statement: "",
    ) -> None:
        self.session = session
        self.observer = observer
        self.statement_timeout = statement_timeout
        self.leaves_out = leaves_out
        rows = fetch_all(observer, "SELECT oid::bigint, relname::text FROM pg_catalog.pg_class WHERE oid >= 16384")
        #: Relations that were there before the first script.
        self.existing: dict[int, str] = dict(rows)
        self._names = frozenset(self.existing.values())
        self._around = MeasuredTransaction() if is_surrounded else None
        self._notices: list[str] = []
        # The session doesn't know what a pooler lends to the transaction that is open around the rehearsal.
        self._backend_pid = backend_pid(session.connection)

    @property
    def connection(self) -> Connection:
        """The connection that runs the scripts."""
        return self.session.connection

    def run(self, script: Script, verifier: Script | None = None) -> Rehearsed:
        """Run one script, and its verify script, and return what was measured.

        Raises:
            LeftTransaction: a statement ended the transaction that is to be rolled back.
        """
        measuring = Measuring(self, script)
        started = time.perf_counter()
        error: Failure | None = None
        try:
            with self._listening():
                if script.directives.transaction:
                    measuring.in_one_transaction(verifier)
                else:
                    measuring.step_by_step(verifier)
        except concurrent.InvalidIndex as invalid:
            error = Failure(str(invalid), script.name, advice=invalid.advice)
        except StatementFailed as failed:
            error = failures.of_statement(script.name, script.path, failed)
        except VerifyFailed as failed:
            error = failed.failure
        except Unbatchable as refused:
            error = failures.of_file(InvalidFile(refused.problem))
        except InvalidFile as invalid_file:
            error = failures.of_file(invalid_file)
        except psycopg.Error as unexpected:
            error = failures.of_database(script.name, unexpected)
        return Rehearsed(
            script.name,
            script.directives.transaction,
            round((time.perf_counter() - started) * 1000, 3),
            tuple(measuring.statements),
            tuple(_longest(measuring.blocks)),
            error,
            tuple(measuring.left_out),
        )

    @contextlib.contextmanager
    def transaction(self) -> Iterator[MeasuredTransaction]:
        """Open a transaction, or a savepoint of the one around the rehearsal."""
        if self._around is not None:
            self._around.begin_again()
            with transaction.atomic(using=self.session.wrapper.alias):
                yield self._around
            return
        with transaction.atomic(using=self.session.wrapper.alias, durable=True):
            yield MeasuredTransaction()

    def held(self) -> list[HeldLock]:
        """Return what the working session holds at this moment on relations of before."""
        return [lock for lock in held_locks(self.observer, self._backend_pid) if lock.oid in self.existing]

    def work_done(self) -> tuple[Work, ...]:
        """Return what the server said since it was last asked about tables of before."""
        heard, self._notices = self._notices, []
        found = (read(message) for message in heard)
        return tuple(work for work in found if work and (not work.relation or work.relation in self._names))

    def wal(self) -> int:
        """Return the position of the server's write-ahead log, in bytes."""
        statement = "SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::bigint"
        return int(fetch_row(self.observer, statement)[0])

    @contextlib.contextmanager
    def _listening(self) -> Iterator[None]:
        def hear(diagnostic: Diagnostic) -> None:
            self._notices.append(diagnostic.message_primary or "")

        connection = self.connection
        connection.add_notice_handler(hear)
        try:
            yield
        finally:
            connection.remove_notice_handler(hear)


def _longest(blocks: list[Block]) -> Iterator[Block]:
    """Yield the longest block of each relation, the strongest locks first."""
    found: dict[int, Block] = {}
    for block in blocks:
        known = found.get(block.lock.oid)
        if known is None or (block.lock.mode, block.writers_ms) > (known.lock.mode, known.writers_ms):
            found[block.lock.oid] = block
    yield from sorted(found.values(), key=lambda block: (-block.lock.mode, block.lock.relation))
