"""The loop with what a run promises, in plain psycopg: ``python -m benchmarks.contestants.careful FOLDER``.

It shows what the promises cost whoever keeps them: for each file a lock and timeouts, every statement by itself so that
each has its time and its error, the session as it was before, a look from outside at the locks that are held, the text
on record, an event when the work begins and one when it is done, each with the hash of the one before.

Libpq's variables name the database, which has the tables of ``TABLES``.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from benchmarks.contestants.loop import checksum

TABLES = """
    CREATE TABLE careful_record (name text PRIMARY KEY, checksum text, text text, at timestamptz, ms float8);
    CREATE TABLE careful_event (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz DEFAULT clock_timestamp(),
        what jsonb, previous text UNIQUE, hash text
    );
    CREATE INDEX ON careful_event (hash);
"""

ENTER: LiteralString = """
    SELECT pg_advisory_xact_lock(1, hashtext(%s)), set_config('lock_timeout', '3s', true), pg_current_xact_id()
"""

# Ours says the same. It is written out here: a loop that loaded the app would be charged for Django.
LEAVE: tuple[LiteralString, ...] = (
    "SET CONSTRAINTS ALL IMMEDIATE",
    "CLOSE ALL",
    "SET SESSION AUTHORIZATION DEFAULT",
    "RESET ALL",
    "DEALLOCATE ALL",
    "UNLISTEN *",
    "DISCARD PLANS",
    "DISCARD TEMP",
    "DISCARD SEQUENCES",
)

LOCKS: LiteralString = """
    SELECT c.oid::regclass::text, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
     WHERE l.pid = %s AND l.locktype = 'relation' AND l.relation >= 16384
"""

EVENT: LiteralString = "INSERT INTO careful_event (what, previous, hash) VALUES (%s, %s, %s)"

RECORD: LiteralString = "INSERT INTO careful_record VALUES (%s, %s, %s, now(), %s)"


class Chain:
    """Events, each with the hash of the one before."""

    def __init__(self) -> None:
        self.head = ""

    def append(self, connection: psycopg.Connection, **what: Any) -> None:
        """Write the next event."""
        text = json.dumps(what, sort_keys=True)
        previous, self.head = self.head, checksum((self.head + text).encode())
        connection.execute(EVENT, [text, previous, self.head])


def main(folder: Path) -> None:
    """Run the files that the history doesn't know."""
    # What psycopg prepares by itself, the reset would take away.
    with psycopg.connect(autocommit=True, prepare_threshold=None) as working, psycopg.connect(autocommit=True) as other:
        known = {name for (name,) in working.execute("SELECT name FROM careful_record")}
        other.execute("SET synchronous_commit = off")
        chain = Chain()
        for path in sorted(folder.glob("*.sql")):
            if path.stem not in known:
                run(path, working, other, chain)


def run(path: Path, working: psycopg.Connection, other: psycopg.Connection, chain: Chain) -> None:
    """Run one file in a transaction together with its record and its event."""
    sql = path.read_bytes()
    chain.append(other, type="started", name=path.stem)
    began, times = time.perf_counter(), []
    with working.transaction():
        with working.pipeline():
            working.execute(ENTER, [path.stem])
            for statement in sql.split(b";\n"):
                working.execute(statement)
                times.append(time.perf_counter() - began)
            for reset in LEAVE:
                working.execute(reset)
        locks = other.execute(LOCKS, [working.info.backend_pid], prepare=True).fetchall()
        with working.pipeline():
            digest = hashlib.sha256(sql).hexdigest()
            working.execute(RECORD, [path.stem, digest, sql.decode(), time.perf_counter() - began])
            chain.append(working, type="applied", name=path.stem, times=times, locks=locks, checksum=digest)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
