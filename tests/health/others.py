"""Others than the one who asks: roles with fewer rights, and sessions that hold things up."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import sql

from tests.databases import session
from tests.health.asking import Answered, Patient
from tests.helpers import role, wait_until


@dataclass(frozen=True)
class Roles:
    """A role without any right, one with pg_monitor, and one that has what the superuser of the tests owns."""

    bare: str
    monitor: str
    owner: str


@contextlib.contextmanager
def roles() -> Iterator[Roles]:
    """Make the three roles for the time of the block."""
    with role() as bare, role() as monitor, role() as owner, session(dbname="postgres") as server:
        server.execute(sql.SQL("GRANT pg_monitor TO {}").format(sql.Identifier(monitor)))
        me = server.execute("SELECT CURRENT_USER").fetchall()[0][0]
        server.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(me), sql.Identifier(owner)))
        yield Roles(bare, monitor, owner)


@contextlib.contextmanager
def other(database: str, application: str, statements: str = "") -> Iterator[psycopg.Connection[Any]]:
    """Open a session of an application, which executes ``statements`` first."""
    with session(dbname=database, application_name=application) as connection:
        if statements:
            connection.execute(statements.encode())
        yield connection


@contextlib.contextmanager
def busy(database: str, application: str, statement: str) -> Iterator[int]:
    """Let another session work on a statement until the end of the block; give its process id."""
    with contextlib.closing(session(dbname=database, application_name=application)) as connection:
        connection.pgconn.send_query(statement.encode())
        pid = connection.info.backend_pid
        with session(dbname="postgres") as watcher:
            begun = "SELECT FROM pg_stat_activity WHERE pid = %s AND state = 'active' AND query = %s"
            wait_until(lambda: watcher.execute(begun, [pid, statement]).fetchall())
            yield pid
            watcher.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])


def wait_for_lock(pid: int) -> None:
    """Wait until a session waits for a lock."""
    with session(dbname="postgres") as watcher:
        waits = "SELECT FROM pg_locks WHERE pid = %s AND NOT granted AND waitstart IS NOT NULL"
        wait_until(lambda: watcher.execute(waits, [pid]).fetchall())


def wait_for(patient: Patient, condition: str) -> None:
    """Wait until the counters show what has happened."""
    if patient.connection.info.server_version >= 150000:
        patient.run("SELECT pg_stat_force_next_flush()")
    wait_until(lambda: patient.connection.execute(condition.encode()).fetchall())


def steady(answered: Answered) -> Answered:
    """Put placeholders where an answer differs from run to run: process ids, the tests' own role, and times."""
    return replace(
        answered,
        findings=tuple((_steady(one), severity, _steady(told)) for one, severity, told in answered.findings),
        reason=_steady(answered.reason),
        remedy=_steady(answered.remedy),
    )


def _steady(text: str) -> str:
    for pattern, placeholder in _PLACEHOLDERS:
        text = re.sub(pattern, placeholder, text)
    return text


_PLACEHOLDERS = ((r"\b\d+ s\b", "<time>"), (r"pid \d+", "pid <pid>"), (r"(?<=\()\w+(?=, |\)$)", "<me>"))
