"""Runs one statement in batches, each in a transaction of its own together with how far it has come.

Between two batches it makes way: it pauses, and waits for replicas that fall behind. What stops it, at whatever point,
leaves whole batches behind and the key after which the next run goes on.
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import psycopg

from sqlmigrations.conf import settings
from sqlmigrations.database import Connection, fetch_dicts
from sqlmigrations.files.batches import Batched, batched
from sqlmigrations.files.directives import Batch, milliseconds
from sqlmigrations.files.scripts import Script
from sqlmigrations.files.statements import Statement
from sqlmigrations.queries import query
from sqlmigrations.runner.batch_position import Batches, Position
from sqlmigrations.runner.failure import StatementFailed
from sqlmigrations.runner.keys import Keys, find_keys
from sqlmigrations.runner.send import execute
from sqlmigrations.runner.stop import sleep

#: Seconds between two looks at replicas that are behind, and how long they are waited for altogether.
LOOKS_EVERY, WAITS_FOR = 0.5, 600.0


def hash_of(statement: Statement) -> str:
    """Return a hash of a statement's text, by which it is known again."""
    return hashlib.sha256(statement.sql).hexdigest()


class EditedMeanwhile(Exception):
    """The statement is not the one of which batches have run."""


@dataclass
class Walk:
    """The walk of one statement along its keys; whoever calls ``step`` has opened a transaction."""

    connection: Connection
    statement: Statement
    batched: Batched
    batch: Batch
    keys: Keys
    position: Position | None

    @classmethod
    def begin(cls, connection: Connection, script: Script, statement: Statement, position: Position | None) -> Walk:
        """Begin a walk, or go on behind ``position``; without one, at an empty table, there is nothing to walk.

        Raises:
            Unbatchable: the table has no key to walk by.
            EditedMeanwhile: the statement, or its key, is not that of ``position``.
        """
        batch = script.directives.batch or Batch(1)
        how = batched(statement, script.name)
        keys = find_keys(connection, how, batch, script.name)
        if position is not None and (position.statement, position.columns) != (hash_of(statement), keys.columns):
            raise EditedMeanwhile
        if position is None and (until := keys.last(connection)) is not None:
            position = Position(hash_of(statement), keys.columns, None, until, expected=keys.rows)
        return cls(connection, statement, how, batch, keys, position)

    @property
    def rest(self) -> Position | None:
        """The place to go on from; ``None`` at the end."""
        return None if self.position is None or self.position.is_last else self.position

    def step(self, now: Position) -> Position:
        """Run the batch behind ``now`` and return where it ends; the walk goes on there once that is committed.

        Raises:
            StatementFailed: PostgreSQL refused it.
        """
        try:
            end = self.keys.end_of(self.connection, self.batch.size, now.after, now.until)
        except psycopg.Error as error:
            raise StatementFailed(self.statement, error) from error
        changed = self._run(self.keys.between(now.after, end).as_bytes(self.connection))
        return replace(
            now,
            after=end,
            batches=now.batches + 1,
            rows=now.rows + changed,
            walked=now.walked + self.batch.size,
        )

    def step_nowhere(self) -> None:
        """Run the statement for no row at all: it is read, and locks what it locks.

        Raises:
            StatementFailed: PostgreSQL refused it.
        """
        self._run(b"FALSE")

    def _run(self, condition: bytes) -> int:
        """Run the statement for the rows for which a condition is true; return how many it changed."""
        narrowed = replace(self.statement, sql=self.batched.within(condition))
        try:
            with self.connection.cursor() as cursor:
                execute(cursor, narrowed)
                return max(cursor.rowcount, 0)
        except psycopg.Error as error:
            raise StatementFailed(narrowed, error) from error


@dataclass
class Replicas:
    """How long ago what the slowest replica has not yet replayed was written here.

    The server's own ``replay_lag`` stands still while a replica does, so the time of each batch is kept instead.
    """

    _written: deque[tuple[int, float]] = field(default_factory=deque)

    def behind_s(self, written: int, replayed: int | None, now: float) -> float:
        """Take a look at ``now``: how far the log is written and replayed; return the seconds between the two."""
        if not self._written or self._written[-1][0] < written:
            self._written.append((written, now))
        while self._written and (replayed is None or self._written[0][0] <= replayed):
            self._written.popleft()
        return now - self._written[0][1] if self._written else 0.0


class FellBehind(Exception):
    """A replica was behind for so long that the run stops."""


@dataclass
class Throttle:
    """Makes way between two batches."""

    connection: Connection
    pause_s: float
    max_lag_s: float
    on_behind: Callable[[float], None]
    notes: list[str] = field(default_factory=list)
    _replicas: Replicas = field(default_factory=Replicas)

    @classmethod
    def of(cls, connection: Connection, script: Script, on_behind: Callable[[float], None]) -> Throttle:
        """Return what a file, or else the settings, ask for."""
        pause = script.directives.pause or str(settings.BATCH_PAUSE)
        max_lag = script.directives.max_lag or str(settings.BATCH_MAX_LAG)
        return cls(connection, (milliseconds(pause) or 0) / 1000, (milliseconds(max_lag) or 0) / 1000, on_behind)

    def wait(self, seen: Batches) -> None:
        """Pause, then wait until no replica is too far behind.

        Raises:
            FellBehind: one still is after ten minutes.
        """
        sleep(self.pause_s)
        seen.paused_ms += self.pause_s * 1000
        started = time.monotonic()
        while self.max_lag_s and (behind := self._behind_s()) > self.max_lag_s:
            if time.monotonic() - started > WAITS_FOR:
                raise FellBehind(f"A replica is {behind:.0f} s behind, and {WAITS_FOR:.0f} s did not mend that.")
            self.on_behind(behind)
            sleep(LOOKS_EVERY)
        seen.waited_for_replicas_ms += (time.monotonic() - started) * 1000

    def _behind_s(self) -> float:
        """Ask how far the slowest replica is behind; nobody waits for what can't be seen, but a note says so."""
        try:
            (row,) = fetch_dicts(self.connection, query("runner/sql/replicas.sql"))
        except psycopg.Error as error:
            if self.connection.closed:
                raise
            return self._blind(f"replicas can't be asked for: {error.diag.message_primary}")
        if row["unseen"]:
            return self._blind("this role can't see how far replicas are behind: GRANT pg_monitor TO it")
        return self._replicas.behind_s(row["written"], row["replayed"], time.monotonic())

    def _blind(self, why: str) -> float:
        self.notes.append(f"not throttled by replicas: {why}")
        self.max_lag_s = 0.0
        return 0.0
