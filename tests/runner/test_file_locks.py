"""The locks of files: each is one backend's, and whoever comes next waits for it and names it."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import psycopg
import pytest

from sqlmigrations.database import execute_together, select
from sqlmigrations.exceptions import DatabaseUnavailable
from sqlmigrations.runner.file_locks import FileLocks
from sqlmigrations.runner.lock import file_class, holders, key_of
from tests.databases import session


def locks_of(connection: psycopg.Connection[Any], schema: str = "public") -> FileLocks:
    """Locks of files, seen from ``connection``, for which nobody waits."""
    return FileLocks(schema, lambda: nullcontext(connection), wait=0, on_wait=lambda holder: None)


def test_one_files_lock_is_not_anothers(fresh_database: str) -> None:
    with session() as one, session() as two:
        locks_of(two).take(two, "001.sql")
        locks_of(one).take(one, "002.sql")
        locks_of(one, "app").take(one, "001.sql")  # another history's
        for key in (key_of("002.sql"), None):
            assert [each.pid for each in holders(two, file_class("public"), key)] == [one.info.backend_pid]


def test_who_holds_it_is_named(fresh_database: str) -> None:
    with session() as one, session(application_name="one run") as two:
        locks_of(two).take(two, "001.sql")
        works_on = f"works on this file: pid {two.info.backend_pid} .*, application one run"
        with pytest.raises(psycopg.errors.LockNotAvailable, match=works_on):
            locks_of(one).take(one, "001.sql")
        with pytest.raises(DatabaseUnavailable, match=rf"still works on 001\.sql: pid {two.info.backend_pid} "):
            locks_of(one).await_own_backend("001.sql")
        locks_of(two).await_release("001.sql")  # one's own is in nobody's way
        locks_of(two).free(two, "001.sql")
        locks_of(one).take(one, "001.sql")


def test_a_transaction_keeps_it_beyond_its_session(fresh_database: str) -> None:
    with session() as one, session() as two:
        locks_of(two).take(two, "001.sql")
        with two.transaction():
            locks_of(two).take_for_transaction(two, "001.sql")
            two.execute("SELECT pg_advisory_unlock_all()")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                locks_of(one).take(one, "001.sql")
        locks_of(one).take(one, "001.sql")


def test_its_statements_fail_at_once_where_another_holds_it(fresh_database: str) -> None:
    with session() as one, session() as two:
        locks_of(two).take(two, "001.sql")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            execute_together(one, select(*locks_of(one).taking("001.sql")))
