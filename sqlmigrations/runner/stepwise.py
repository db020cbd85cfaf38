"""Applies one file outside a transaction, statement by statement, so that it can be resumed where it stopped.

What can run in a transaction does so, in one of its own together with its checkpoint. The others run bare: an intent is
written before, and on resume the catalog tells whether they happened.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlmigrations.conf import settings
from sqlmigrations.database import Connection, fetch_row
from sqlmigrations.files.scripts import SMALL, SQLFile
from sqlmigrations.files.statements import Statement, is_session, makes_temporary, needs_autocommit
from sqlmigrations.history import Record
from sqlmigrations.models import State
from sqlmigrations.runner import concurrent
from sqlmigrations.runner import outcome as outcomes
from sqlmigrations.runner.failure import Failure
from sqlmigrations.runner.journal import read_whole
from sqlmigrations.runner.lock import FILE_CLASS, key_of, try_file_lock
from sqlmigrations.runner.outcome import Attempt, Outcome
from sqlmigrations.runner.send import send
from sqlmigrations.runner.verify import verify

if TYPE_CHECKING:
    from sqlmigrations.runner.executor import Executor


@dataclass(slots=True)
class Progress:
    """How far the file has come: the statements done, a hash over them, and the one begun bare."""

    done: int = 0
    prefix: str = ""
    intent: int | None = None

    @classmethod
    def of(cls, record: Record | None) -> Progress:
        """Read the progress of an earlier attempt; none where it left nothing behind."""
        if record is None or record.progress is None:
            return cls()
        return cls(record.statements_done, record.progress["prefix"], record.progress["intent"])

    def columns(self) -> dict[str, Any]:
        """Return it as columns of the record."""
        return {"statements_done": self.done, "progress": {"prefix": self.prefix, "intent": self.intent}}


class CannotResume(Exception):
    """The part of the file that has run is not what it was, or can't be stood on."""

    def __init__(self, failure: Failure, state: State = State.PARTIAL) -> None:
        self.failure = failure
        self.state = state
        super().__init__(failure.message)


class Stepwise:
    """One attempt at one file."""

    def __init__(self, executor: Executor, file: SQLFile, known: Record | None) -> None:
        self.executor = executor
        self.file = file
        self.known = known
        self.attempt = Attempt()
        self.progress = Progress.of(known)
        self.resume_after = self.progress.done
        self.notes: list[str] = []
        self._hash = hashlib.sha256()
        self._lock_timeout = ""

    @property
    def connection(self) -> Connection:
        """The working connection, in autocommit."""
        return self.executor.session.connection

    def apply(self) -> Outcome:
        """Run what hasn't run yet and return how it went."""
        from sqlmigrations.runner.executor import ERRORS

        if self.executor.session.wrapper.in_atomic_block:
            return self._stop(Failure("A file with `transaction off` can't run inside a transaction.", self.file.name))
        if self.executor.session.is_pooled:
            return self._stop(_behind_pooler(self.file))
        try:
            with self.executor.notices_of(self.attempt):
                self._lock()
                return self._run()
        except KeyboardInterrupt:
            self._stop(Failure("Interrupted.", self.file.name))
            raise
        except CannotResume as refused:
            return self._stop(refused.failure, refused.state)
        except (*ERRORS, concurrent.StillBuilding) as error:
            return self._stop(self._describe(error))
        finally:
            self._unlock()

    def _lock(self) -> None:
        self.executor.take_file_lock(self.connection, self.file, for_session=True)
        self.executor.look_again(self.connection, self.file, self.known)
        default = self.file.directives.lock_timeout or settings.LOCK_TIMEOUT
        self._lock_timeout = self._set_lock_timeout(default)
        timeout = self.file.directives.statement_timeout or settings.STATEMENT_TIMEOUT
        if timeout is not None:
            self.connection.execute("SELECT set_config('statement_timeout', %s, false)", [timeout])

    def _unlock(self) -> None:
        connection = self.executor.session.wrapper.connection
        if connection is not None and not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s, %s)", [FILE_CLASS, key_of(self.file.name)])

    def _set_lock_timeout(self, value: str) -> str:
        """Set the session's lock_timeout; return it as the server words it."""
        return str(fetch_row(self.connection, "SELECT set_config('lock_timeout', %s, false)", [value])[0])

    # The statements

    def _run(self) -> Outcome:
        total = read_whole(self.file).count if self.file.path.stat().st_size <= SMALL else None
        reading = self.file.read()
        for statement in reading:
            self._hash.update(statement.sql + b"\0")
            if statement.number <= self.resume_after:
                self._pass_over(statement)
            else:
                self._step(statement, total)
        if reading.count < self.resume_after:
            raise self._edited(f"it had {self.resume_after} statements done and has only {reading.count} now")
        if self.file.verify is not None:
            with self.executor.transaction():
                verify(self.connection, self.file.verify)
        with self.executor.transaction():
            try_file_lock(self.connection, self.file.name, session=False)  # the reset drops the session's lock
            self.executor.session.reset()
            link = self.executor.journal.applied(self.connection, self.file, reading, self.attempt)
        self.executor.journal.chain.advance(link)
        return outcomes.applied(self.file, reading, self.attempt, *self.notes)

    def _pass_over(self, statement: Statement) -> None:
        """Skip a statement that an earlier attempt has done, but set the session as it did."""
        if makes_temporary(statement):
            raise CannotResume(
                Failure(
                    "The part that has run made a temporary table, which has gone with its session.",
                    self.file.name,
                    line=statement.line,
                    advice=f"Undo what has run and begin again: applysql {self.file.name} --restart",
                )
            )
        if is_session(statement):
            for _result in send(self.connection, [statement]):
                pass
        if statement.number == self.resume_after and self._hash.hexdigest() != self.progress.prefix:
            raise self._edited("a statement of the part that has run was edited")

    def _edited(self, what: str) -> CannotResume:
        name = self.file.name
        return CannotResume(
            Failure(
                f"The file stopped after statement {self.resume_after} and was changed since: {what}.",
                name,
                advice=f"Restore that part, or say where to go on: applysql {name} --resume-at N (or --restart).",
            )
        )

    def _step(self, statement: Statement, total: int | None) -> None:
        if needs_autocommit(statement):
            self._bare(statement, total)
        else:
            self._in_transaction(statement, total)

    def _in_transaction(self, statement: Statement, total: int | None) -> None:
        with self.executor.transaction():
            self._send(statement)
            self._checkpoint(statement, total)

    def _bare(self, statement: Statement, total: int | None) -> None:
        if self.progress.intent == statement.number and self._has_happened(statement):
            with self.executor.transaction():
                self._checkpoint(statement, total)
            return
        self.progress.intent = statement.number
        with self.executor.transaction():
            self._write_progress(total)
        executor = self.executor
        note = concurrent.clear_leftover(self.connection, statement, executor.lock_wait, executor.on_wait)
        self.notes += [note] if note else []
        self._patiently(statement)
        try:
            concurrent.check_result(self.connection, statement)
        except concurrent.InvalidIndex as invalid:
            raise self._invalid(statement, str(invalid)) from invalid
        with self.executor.transaction():
            self._checkpoint(statement, total)

    def _has_happened(self, statement: Statement) -> bool:
        answer = concurrent.look(self.connection, statement)
        if answer is not concurrent.Answer.UNKNOWN:
            return answer is concurrent.Answer.DONE
        name = self.file.name
        raise CannotResume(
            Failure(
                f"Statement {statement.number} was begun and nobody saw its end; the catalog can't tell either.",
                name,
                line=statement.line,
                source=statement.text.partition("\n")[0],
                statement=statement.text,
                advice=f"Look whether it happened. If so: applysql {name} --resume-at {statement.number + 1}, "
                f"else: applysql {name} --resume-at {statement.number}",
            ),
            State.IN_DOUBT,
        )

    def _patiently(self, statement: Statement) -> None:
        """Send a bare statement without our short lock_timeout: it waits for others by its nature."""
        (present,) = fetch_row(self.connection, "SELECT current_setting('lock_timeout')")
        is_ours = present == self._lock_timeout and self.file.directives.lock_timeout is None
        if is_ours:
            self._set_lock_timeout("0")
        self._send(statement)
        if is_ours:
            self._set_lock_timeout(present)

    def _invalid(self, statement: Statement, message: str) -> CannotResume:
        return CannotResume(
            Failure(
                message,
                self.file.name,
                line=statement.line,
                source=statement.text.partition("\n")[0],
                statement=statement.text,
                advice="Run it again: the INVALID index is dropped before the retry.",
            )
        )

    def _send(self, statement: Statement) -> None:
        for result in send(self.connection, [statement]):
            self.attempt.timings.add(result)

    def _checkpoint(self, statement: Statement, total: int | None) -> None:
        """Note, together with the statement where that is possible, that it is done."""
        done = Progress(statement.number, self._hash.hexdigest())
        self._write(done, total)
        self.progress = done

    def _write_progress(self, total: int | None) -> None:
        self._write(self.progress, total)

    def _write(self, progress: Progress, total: int | None) -> None:
        columns = {**progress.columns(), "statements_total": total}
        self.executor.journal.checkpoint(self.connection, self.file, columns)

    # The end of an attempt that did not come through

    def _describe(self, error: Exception) -> Failure:
        if isinstance(error, concurrent.StillBuilding):
            return Failure(str(error), self.file.name)
        return self.executor.describe(self.file, error)

    def _stop(self, failure: Failure, state: State = State.PARTIAL) -> Outcome:
        self.executor.recover()
        nothing_left = self.progress.done == 0 and self.progress.intent is None
        if nothing_left and state is State.PARTIAL:
            state = State.FAILED
        columns = {} if nothing_left else self.progress.columns()
        self.executor.journal.failed(self.file, self.attempt, failure, state, **columns)
        return outcomes.failed(self.file, self.attempt, failure, state)


def _behind_pooler(file: SQLFile) -> Failure:
    return Failure(
        "A file with `transaction off` needs a backend of its own, and this alias goes through a pooler in transaction "
        "mode.",
        file.name,
        advice="Add an alias to DATABASES that connects to the server directly, and name it with --database.",
    )
