"""Why there is no connection; several statements in one message, each answered, in a session that stays whole."""

from __future__ import annotations

import select
from collections.abc import Iterable
from contextlib import closing

import psycopg
import pytest
from psycopg import sql
from psycopg.pq import TransactionStatus

from sqlmigrations.database import ask_together, connect, connected, fetch_together, raw
from sqlmigrations.exceptions import DatabaseUnavailable
from tests.databases import all_of_pool, leading_to, pooled, session

# Why there is no connection


def test_a_pool_that_gets_no_connection_is_told_with_the_servers_reason(fresh_database: str) -> None:
    with leading_to("sqlm_nowhere"), pooled(max_size=1), pytest.raises(DatabaseUnavailable) as caught:
        connect("default")
    assert caught.value.message.startswith("Database 'default' can't be reached: connection failed: ")
    assert caught.value.message.endswith('database "sqlm_nowhere" does not exist')
    assert caught.value.hint == "Look at DATABASES['default'] and whether its server runs."


def test_a_pool_whose_connections_are_all_in_use_is_told_as_that(fresh_database: str) -> None:
    with pooled(max_size=1, timeout=0.1), all_of_pool(), pytest.raises(DatabaseUnavailable) as caught:
        connect("default")
    assert str(caught.value) == (
        "Database 'default' can't be reached: couldn't get a connection after 0.10 sec\n"
        "  The server answers outside of the pool: all of its connections are in use. Give it more, with max_size in "
        "DATABASES['default']['OPTIONS']['pool'], or run it again when there is room."
    )


# Why the server did not do what was asked of it

#: Calls itself until the server's stack is full.
DEEP = "CREATE FUNCTION deep() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN deep(); END'"


@pytest.mark.parametrize(
    ("statements", "message", "hint"),
    [
        (
            ["SET idle_in_transaction_session_timeout = '50ms'", "BEGIN", None, "SELECT 1"],
            "The connection to 'default' was lost: terminating connection due to idle-in-transaction timeout",
            "That is the role's idle_in_transaction_session_timeout. For more time put PGOPTIONS="
            "'-c idle_in_transaction_session_timeout=10min' before the command, or set it in the alias's OPTIONS.",
        ),
        (
            [DEEP, "SELECT deep()"],
            "Database 'default' did not answer: stack depth limit exceeded (SQLSTATE 54001).",
            'Run it again when that has passed. Increase the configuration parameter "max_stack_depth" (currently ',
        ),
        (
            ["SELECT pg_terminate_backend(pg_backend_pid())"],
            "The connection to 'default' was lost: terminating connection due to administrator command",
            "Run it again: what was committed is on record.",
        ),
    ],
    ids=["idle in transaction", "stack", "terminated"],
)
def test_a_server_that_does_not_answer_is_told_in_its_words(
    fresh_database: str, statements: list[str | None], message: str, hint: str
) -> None:
    with pytest.raises(DatabaseUnavailable) as caught:
        _execute(statements)
    assert caught.value.message.startswith(message)
    assert caught.value.hint.startswith(hint)


def test_a_statement_that_is_wrong_is_nobody_elses_fault(fresh_database: str) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        _execute(["SELECT 1/0"])


def _execute(statements: Iterable[str | None]) -> None:
    """Execute them over one connection; None stands for a wait for what the server says by itself."""
    with connected("default") as wrapper:
        for statement in statements:
            if statement is not None:
                raw(wrapper).execute(statement)
            else:
                assert select.select([raw(wrapper)], [], [], 10)[0]


# Several statements in one message


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
