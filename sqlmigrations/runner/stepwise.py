"""Applies one file outside a transaction, statement by statement, so that it can be resumed where it stopped.

What can run in a transaction does so, in one of its own together with its checkpoint. The others run bare: an intent is
written before, and on resume the catalog tells whether they happened. The statement of a file with ``batch`` runs in
many transactions, each with its own checkpoint.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

from sqlmigrations.database import Connection, fetch_row, is_lost
from sqlmigrations.exceptions import InvalidFile
from sqlmigrations.files.batches import Unbatchable
from sqlmigrations.files.reading import Reading
from sqlmigrations.files.scripts import SMALL
from sqlmigrations.files.statements import (
    Statement,
    is_session,
    makes_temporary,
    needs_autocommit,
    waits_beside_others,
)
from sqlmigrations.history import Record
from sqlmigrations.messages import counted, ngettext
from sqlmigrations.messages import gettext as _
from sqlmigrations.models import State
from sqlmigrations.runner import concurrent, refusals
from sqlmigrations.runner import failure as failures
from sqlmigrations.runner import outcome as outcomes
from sqlmigrations.runner.batch_position import Batches, Position
from sqlmigrations.runner.batches import EditedMeanwhile, FellBehind, Throttle, Walk
from sqlmigrations.runner.executor import ERRORS, Executor, SettledElsewhere
from sqlmigrations.runner.failure import Failure, StatementFailed
from sqlmigrations.runner.file_transaction import lock_timeout_of, statement_timeout_of
from sqlmigrations.runner.moved import Moved
from sqlmigrations.runner.outcome import Attempt, Outcome
from sqlmigrations.runner.progress import Prefix, Progress, pass_by
from sqlmigrations.runner.refusals import CannotResume
from sqlmigrations.runner.retries import RETRIED, pause, retries_of
from sqlmigrations.runner.send import Result, send
from sqlmigrations.runner.stop import sleep, stoppable
from sqlmigrations.runner.task import Columns, Direction, Task, read_whole
from sqlmigrations.runner.verify import VerifyFailed, verify


class Stepwise:
    """One attempt at one file."""

    def __init__(self, executor: Executor, task: Task, known: Record | None) -> None:
        self.executor = executor
        self.task = task
        self.known = known
        self.attempt = Attempt()
        self.progress = Progress.of(known, task.direction)
        self.resume_after = self.progress.done
        self.notes: list[str] = []
        self._retries = retries_of(task.script)
        self._total: int | None = None
        self._text: Columns = {}
        self._prefix = Prefix()
        self._lock_timeout = ""

    @cached_property
    def _reading(self) -> Reading:
        """The file, read once. Raises ``InvalidFile`` when it can't be read."""
        return self.task.script.read(objects=self.task.direction is Direction.FORWARDS)

    @property
    def connection(self) -> Connection:
        """The working connection, in autocommit."""
        return self.executor.session.connection

    def run(self) -> Outcome:
        """Run what hasn't run yet and return how it went."""
        if self.executor.session.wrapper.in_atomic_block:
            return self._stop(refusals.inside_transaction(self.task.script))
        try:
            if not self.executor.session.keeps_backend():
                return self._stop(refusals.behind_pooler(self.task.script))
            with stoppable(), self.executor.notices_of(self.attempt):
                self._lock()
                with self.executor.watched(self.attempt, lock_timeout_of(self.task.script)):
                    self._statements()
                return self._finish()
        except KeyboardInterrupt:
            self._stop(Failure(_("Interrupted: the statement in work was cancelled."), self.task.script.name))
            raise
        except CannotResume as refused:
            return self._stop(refused.failure, refused.state)
        except VerifyFailed as refused:  # all statements are done: only the verify script is run again
            stays = _("What the file did stays; the next run only verifies it again.")
            return self._stop(refused.failure.advised(stays), State.FAILED)
        except (*ERRORS, concurrent.StillBuilding) as error:
            return self._stop(self._describe(error))

    def _lock(self) -> None:
        """Take the file's lock until the session is reset; set the timeouts.

        Raises:
            SettledElsewhere: another run has dealt with the file.
        """
        self.executor.file_locks.take(self.connection, self.task.name)
        try:
            self.executor.look_again(self.task, self.known)
        except SettledElsewhere:
            self.executor.file_locks.free(self.connection, self.task.name)
            raise
        self._lock_timeout = self._set_lock_timeout(lock_timeout_of(self.task.script))
        if (timeout := statement_timeout_of(self.task.script)) is not None:
            self.connection.execute("SELECT set_config('statement_timeout', %s, false)", [timeout])

    def _set_lock_timeout(self, value: str) -> str:
        """Set the session's lock_timeout; return it as the server words it."""
        return str(fetch_row(self.connection, "SELECT set_config('lock_timeout', %s, false)", [value])[0])

    # The statements

    def _statements(self) -> None:
        """Run the statements that haven't run yet, behind those that have."""
        script = self.task.script
        if script.size <= SMALL:
            self._know(read_whole(script))
        for passing in self._reading:
            statement = self._prefix.take(passing)
            if statement.number <= self.resume_after:
                self._pass_over(statement)
            elif script.directives.batch is not None or self.progress.batches is not None:
                self._in_batches(statement)
            elif needs_autocommit(statement) or self.progress.intent == statement.number:
                self._bare(statement)
            else:
                self._in_transaction(statement)
        if self._reading.count < self.resume_after:
            done = counted(self.resume_after, "statement")
            what = _("it had {done} done and has only {count} now", done=done, count=self._reading.count)
            raise refusals.edited(self.task, self.resume_after, what)

    def _know(self, whole: Reading) -> None:
        """Note what the first checkpoint writes down: should this process die, the text tells what it was changing.

        Where the database holds the file already, the record goes on to tell what it holds.
        """
        self._total = whole.count
        holds_another = self.known is not None and self.known.checksum
        if self.task.direction is Direction.FORWARDS and not holds_another:
            self._text = {"applied_sql": whole.stored}

    def _finish(self) -> Outcome:
        """Verify what was made and record it."""
        if self.task.verify is not None:
            with self.executor.transaction():
                verify(self.connection, self.task.verify)
        with self.executor.transaction():
            # The reset drops the session's lock, and what is committed frees this one.
            self.executor.file_locks.take_for_transaction(self.connection, self.task.name)
            self.executor.session.reset()
            link = self.executor.journal.done(self.connection, self.task, self._reading, self.attempt)
        self.executor.journal.chain.advance(link)
        return outcomes.done(self.task, self._reading, self.attempt, *self.notes)

    def _pass_over(self, statement: Statement) -> None:
        """Skip a statement that an earlier attempt has done, but set the session as it did."""
        if makes_temporary(statement):
            raise refusals.temporary_table_gone(self.task, statement)
        if is_session(statement):
            for _result in send(self.connection, [statement]):
                pass
        pass_by(statement)
        if statement.number == self.resume_after and self._prefix.value() != self.progress.prefix:
            raise refusals.edited(self.task, self.resume_after, _("a statement of the part that has run was edited"))

    def _in_transaction(self, statement: Statement) -> None:
        """Run a statement together with its checkpoint; a lock timeout or a deadlock is tried again.

        COPY is not: its data has streamed by. One that turns out to end transactions itself is run bare.
        """
        for number in range(1, self._retries + 2):
            try:
                with self.executor.transaction():
                    with self._patience(statement):
                        self._send(statement)
                    self.executor.note_locks(self.attempt)
                    self._checkpoint(statement)
                return
            except StatementFailed as failed:
                if failed.error.sqlstate in concurrent.BARE_AFTER_ALL:
                    break
                data_is_gone = statement.data is not None
                if data_is_gone or failed.error.sqlstate not in RETRIED or number > self._retries:
                    raise
            sleep(pause(number))
        self._bare(statement)

    # In batches

    def _in_batches(self, statement: Statement) -> None:
        """Run a statement in batches, each with its checkpoint, and make way between them."""
        walk = self._walk(statement)
        seen = self.attempt.batches = Batches(walk.batch.size)
        throttle = Throttle.of(self.connection, self.task.script, lambda behind: self._moved(walk, behind))
        started = time.perf_counter()
        try:
            while (now := walk.rest) is not None:
                if seen.count:
                    throttle.wait(seen)
                walk.position = self._batch(walk, now, seen)
                self._moved(walk)
        except FellBehind as behind:
            raise CannotResume(Failure(str(behind), self.task.script.name, line=statement.line)) from behind
        finally:
            self.notes += throttle.notes
        self.attempt.timings.add(Result(statement.number, statement.line, (time.perf_counter() - started) * 1000))
        with self.executor.transaction():
            self._checkpoint(statement)

    def _walk(self, statement: Statement) -> Walk:
        """Begin to walk the statement's rows, or go on behind its last batch."""
        script = self.task.script
        try:
            if script.directives.batch is None:
                raise EditedMeanwhile
            return Walk.begin(self.connection, script, statement, self.progress.batches)
        except Unbatchable as refused:
            raise CannotResume(failures.of_file(InvalidFile(refused.problem))) from refused
        except EditedMeanwhile as edited:
            raise refusals.batches_edited(self.task, statement) from edited

    def _batch(self, walk: Walk, now: Position, seen: Batches) -> Position:
        """Run the next batch together with its checkpoint; a lock timeout or a deadlock is tried again."""
        for number in range(1, self._retries + 2):
            started = time.perf_counter()
            try:
                with self.executor.transaction():
                    position = walk.step(now)
                    if not seen.count:  # the others take the same
                        self.executor.note_locks(self.attempt)
                    progress = replace(self.progress, batches=position)
                    self._write(progress)
                break
            except StatementFailed as failed:
                if failed.error.sqlstate not in RETRIED or number > self._retries:
                    raise
            sleep(pause(number))
        seen.take(position.rows - now.rows, (time.perf_counter() - started) * 1000)
        self.progress = progress
        return position

    def _moved(self, walk: Walk, behind_s: float = 0.0) -> None:
        if walk.position is not None:
            self.executor.on_batch(Moved(self.task.name, walk.position, behind_s))

    # Outside a transaction

    def _bare(self, statement: Statement) -> None:
        """Run a statement outside any transaction: an intent before, a look at the catalog behind.

        If it was begun before and nobody saw its end, the catalog is asked first; what it left is cleared away.
        """
        connection, executor = self.connection, self.executor
        resumes = self.progress.intent == statement.number
        if resumes and not self.progress.refused and self._has_happened(statement):
            with executor.transaction():
                self._checkpoint(statement)
            return
        concurrent.await_builder(connection, statement, executor.lock_wait, executor.on_wait)
        self._intend(statement, resumes=resumes)
        rest = None
        if resumes:
            self.notes += concurrent.clear_leftovers(connection, statement, self.progress.before)
            rest = concurrent.finishing(connection, statement)
            self.notes += ["finished a DETACH PARTITION that had stopped half-way"] if rest else []
        try:
            self._send_bare(statement, rest or statement)
        except StatementFailed as failed:
            self.progress.refused = not is_lost(failed.error)
            raise
        try:
            concurrent.check_result(connection, statement)
        except concurrent.InvalidIndex as invalid:
            self.progress.refused = True
            raise refusals.invalid_index(self.task, statement, invalid) from invalid
        with executor.transaction():
            self._checkpoint(statement)

    def _intend(self, statement: Statement, *, resumes: bool) -> None:
        """Write down that a bare statement begins, and what it must not be blamed for."""
        if not resumes:
            self.progress.before = tuple(map(str, concurrent.invalid_indexes(self.connection, statement)))
        self.progress.intent = statement.number
        self.progress.refused = False
        with self.executor.transaction():
            self._write(self.progress)

    def _has_happened(self, statement: Statement) -> bool:
        answer = concurrent.look(self.connection, statement)
        if answer is not concurrent.Answer.UNKNOWN:
            return answer is concurrent.Answer.DONE
        raise refusals.in_doubt(self.task, statement)

    def _send_bare(self, statement: Statement, sent: Statement) -> None:
        """Send a bare statement, or the one that finishes it; try again where a second time does no harm."""
        tries = 1 + (self._retries if concurrent.may_be_repeated(statement) else 0)
        for number in range(1, tries + 1):
            try:
                with self._patience(statement):
                    self._send(sent)
                return
            except StatementFailed as failed:
                if failed.error.sqlstate not in RETRIED or number == tries:
                    raise
            sleep(pause(number))

    @contextlib.contextmanager
    def _patience(self, statement: Statement) -> Iterator[None]:
        """Lift our short lock_timeout for a statement that waits for others without standing in anybody's way."""
        (present,) = fetch_row(self.connection, "SELECT current_setting('lock_timeout')")
        is_ours = present == self._lock_timeout and self.task.script.directives.lock_timeout is None
        lifts = is_ours and waits_beside_others(statement)
        if lifts:
            self._set_lock_timeout("0")
        yield
        if lifts:
            self._set_lock_timeout(present)

    def _send(self, statement: Statement) -> None:
        for result in send(self.connection, [statement]):
            self.attempt.timings.add(result)

    def _checkpoint(self, statement: Statement) -> None:
        """Note, together with the statement where that is possible, that it is done."""
        done = Progress(statement.number, self._prefix.value(), direction=self.task.direction)
        self._write(done)
        self.progress = done

    def _write(self, progress: Progress) -> None:
        columns = {**progress.columns(), "statements_total": self._total, **self._text}
        self.executor.session.step_back()
        self.executor.journal.checkpoint(self.connection, self.task, columns)
        self._text = {}  # those that follow need not write it once more

    # The end of an attempt that did not come through

    def _describe(self, error: Exception) -> Failure:
        if isinstance(error, concurrent.StillBuilding):
            return Failure(str(error), self.task.script.name)
        return self.executor.explain(error, self.task.script)

    def _stop(self, failure: Failure, state: State = State.PARTIAL) -> Outcome:
        """Bring the session back and write down where the file stopped."""
        if failure.sqlstate in RETRIED:
            failure = replace(failure, blockers=tuple(self.attempt.blockers))
        if done := self.progress.batches:
            advice = ngettext(
                "The batch before it is committed: the next run goes on behind it.",
                "The {count:,} batches before it are committed: the next run goes on behind them.",
                done.batches,
            )
            failure = failure.advised(advice)
        self.executor.recover()
        if self.executor.was_committed(self.task, self.attempt):
            return outcomes.settled(self.task, self.attempt)
        self.executor.file_locks.await_own_backend(self.task.name)
        if state is State.PARTIAL and not self._has_begun():
            state = State.FAILED
        columns = self.progress.columns() if self.progress.refused else {}
        kept = self.executor.journal.failed(self.task, self.attempt, failure, state, **columns)
        return outcomes.failed(self.task, self.attempt, kept, state)

    def _has_begun(self) -> bool:
        """Tell whether anything of the file is left: the record knows, also where a COMMIT's answer was lost."""
        record = self.executor.journal.record(self.task.name)
        return record is not None and record.progress is not None
