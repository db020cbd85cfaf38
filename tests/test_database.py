"""Several statements in one message: each has its answer, and the session is whole again whatever happens."""

from __future__ import annotations

from contextlib import closing

import psycopg
import pytest
from psycopg import sql
from psycopg.pq import TransactionStatus

from sqlmigrations.database import ask_together, fetch_together
from tests.databases import session


def test_each_statement_has_its_rows(fresh_database: str) -> None:
    with session() as connection:
        assert fetch_together(
            connection, sql.SQL("SELECT 1, 'a'"), sql.SQL("CREATE TABLE t (id int)"), sql.SQL("SELECT id FROM t")
        ) == [[(1, "a")], [], []]
        with closing(ask_together(connection, map(sql.SQL, ["SELECT 1 AS one, '{a}'::text[]", "SELECT 2"]))) as answers:
            first, second = answers
        assert (first.columns, first.fetchall()) == ([("one", 23), ("text", 1009)], [(1, ["a"])])
        assert second.fetchall() == [(2,)]
        assert connection.info.transaction_status is TransactionStatus.IDLE


def test_what_comes_in_one_message_is_one_transaction(fresh_database: str) -> None:
    with session() as connection:
        with pytest.raises(psycopg.errors.DivisionByZero):
            fetch_together(connection, sql.SQL("CREATE TABLE t (id int)"), sql.SQL("SELECT 1/0"))
        assert fetch_together(connection, sql.SQL("SELECT to_regclass('t')")) == [[(None,)]]


def test_an_error_comes_in_its_place(fresh_database: str) -> None:
    with session() as connection:
        answers = ask_together(connection, map(sql.SQL, ["SELECT 1", "SELECT 1/0", "SELECT 3"]))
        assert next(answers).fetchall() == [(1,)]
        with pytest.raises(psycopg.errors.DivisionByZero):
            next(answers)
        assert connection.execute("SELECT 4").fetchall() == [(4,)]


def test_what_is_left_when_nobody_asks_any_more_is_cancelled(fresh_database: str) -> None:
    """The server hands answers over as soon as they fill its buffer."""
    statements = ["SELECT 1", "SELECT repeat('x', 100000)", "SELECT pg_sleep(600)"]
    with session() as connection:
        with closing(ask_together(connection, map(sql.SQL, statements))) as answers:
            assert next(answers).fetchall() == [(1,)]
        assert connection.execute("SELECT 4").fetchall() == [(4,)]
