"""Directives: what a file says about itself."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from sqlmigrations.exceptions import InvalidFile
from sqlmigrations.files.directives import Batch, Directives, is_duration, parse, read
from sqlmigrations.files.splitter import Splitter


def comments(text: str) -> list[tuple[int, str, bool]]:
    """Collect the directives of a text."""
    splitter = Splitter([text.encode()])
    list(splitter)
    return splitter.directives


def test_none() -> None:
    """Without directives all is left to the settings."""
    assert parse(comments("-- about this file\nSELECT 1;")) == Directives()


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("requires 001_a.sql", {"requires": ("001_a.sql",)}),
        ("requires blog/001 b.sql ,django:blog.0003_name", {"requires": ("blog/001 b.sql", "django:blog.0003_name")}),
        ("transaction off", {"transaction": False}),
        ("transaction on", {"transaction": True}),
        ("isolation serializable", {"isolation": "serializable"}),
        ("isolation Repeatable  Read", {"isolation": "repeatable read"}),
        ("lock_timeout 3s", {"lock_timeout": "3s"}),
        ("lock_timeout 0", {"lock_timeout": "0"}),
        ("statement_timeout 1.5 min", {"statement_timeout": "1.5 min"}),
        ("retries 0", {"retries": 0}),
        ("retries 12", {"retries": 12}),
        ("batch 5000", {"batch": Batch(5000), "transaction": False}),
        ("batch 1 BY Id", {"batch": Batch(1, ("id",)), "transaction": False}),
        ('batch 1000000 by tenant, "Id"', {"batch": Batch(1_000_000, ("tenant", "Id")), "transaction": False}),
        ("allow late", {"allow_late": True}),
        ("allow drop-column: nobody reads it", {"allow_rules": (("drop-column", "nobody reads it"),)}),
        ("tags billing, slow", {"tags": ("billing", "slow")}),
        ("sensitive", {"sensitive": True}),
    ],
)
def test_each(written: str, expected: dict[str, object]) -> None:
    text = f"\n--   SQLMigrations:  {written}  \nSELECT 1;"
    assert parse(comments(text)) == replace(Directives(), **expected)  # type: ignore[arg-type]  # values of several types


def test_all_together() -> None:
    text = """-- Moves the prices.
-- sqlmigrations: requires 001_a.sql
/* a block comment */
-- sqlmigrations: allow late
-- sqlmigrations: allow one: first
-- sqlmigrations: allow two: second: with a colon
SELECT 1;"""
    assert parse(comments(text)) == Directives(
        requires=("001_a.sql",), allow_late=True, allow_rules=(("one", "first"), ("two", "second: with a colon"))
    )


KNOWN = (
    "requires, transaction, isolation, lock_timeout, statement_timeout, retries, batch, pause, max_lag, allow, tags, "
    "sensitive"
)
SIZE = "Write how many keys a batch has, from 1 to 1000000, and perhaps the key: batch 5000 by id"
KEY = "Write the columns of its key, each once: batch 5000 by id, or: batch 5000 by tenant, id"
TIME = "Write a time as PostgreSQL does: 3s, 500ms, 10min, or 0 for no limit."


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ("requries 001.sql", "unknown directive 'requries'", f"Known are: {KNOWN}."),
        ("", "unknown directive ''", f"Known are: {KNOWN}."),
        ("requires", "directive 'requires' names nothing",
         "Write for example: requires 001_users.sql, django:blog.0002_post"),
        ("requires a.sql,", "directive 'requires' names nothing",
         "Write for example: requires 001_users.sql, django:blog.0002_post"),
        ("requires a.sql, a.sql", "directive 'requires' names 'a.sql' twice", "Remove one of them."),
        ("tags", "directive 'tags' names nothing", "Write for example: tags billing, slow"),
        ("transaction no", "directive 'transaction' can't be 'no'", "Write: transaction off"),
        ("transaction", "directive 'transaction' can't be ''", "Write: transaction off"),
        ("isolation snapshot", "directive 'isolation' can't be 'snapshot'",
         "Write one of: serializable, repeatable read, read committed."),
        ("lock_timeout 3 seconds", "directive 'lock_timeout' can't be '3 seconds'", TIME),
        ("lock_timeout -1s", "directive 'lock_timeout' can't be '-1s'", TIME),
        ("statement_timeout 25d", "directive 'statement_timeout' can't be '25d'", TIME),
        ("statement_timeout 1S", "directive 'statement_timeout' can't be '1S'", TIME),
        ("retries many", "directive 'retries' can't be 'many'", "Write a number from 0 to 1000."),
        ("retries -1", "directive 'retries' can't be '-1'", "Write a number from 0 to 1000."),
        ("retries 1001", "directive 'retries' can't be '1001'", "Write a number from 0 to 1000."),
        ("retries ²", "directive 'retries' can't be '²'", "Write a number from 0 to 1000."),
        ("batch", "directive 'batch' can't be ''", SIZE),
        ("batch 0", "directive 'batch' can't be '0'", SIZE),
        ("batch 1000001", "directive 'batch' can't be '1000001'", SIZE),
        ("batch by id", "directive 'batch' can't be 'by id'", SIZE),
        ("batch 5 id", "directive 'batch' can't be '5 id'", KEY),
        ("batch 5 by", "directive 'batch' can't be '5 by'", KEY),
        ("batch 5 by a,", "directive 'batch' can't be '5 by a,'", KEY),
        ("batch 5 by a, A", "directive 'batch' can't be '5 by a, A'", KEY),
        ("batch 5 by a b", "directive 'batch' can't be '5 by a b'", KEY),
        ("pause soon", "directive 'pause' can't be 'soon'", TIME),
        ("max_lag soon", "directive 'max_lag' can't be 'soon'", TIME),
        ("allow", "directive 'allow' can't be ''", "Write: allow late, or: allow RULE: the reason why it is fine here"),
        ("allow drop-column", "directive 'allow' can't be 'drop-column'",
         "Write: allow late, or: allow RULE: the reason why it is fine here"),
        ("sensitive yes", "directive 'sensitive' takes no value, not 'yes'", "Write: sensitive"),
    ],
)  # fmt: skip
def test_wrong(written: str, message: str, hint: str) -> None:
    with pytest.raises(InvalidFile) as raised:
        parse(comments(f"-- x\n-- sqlmigrations: {written}\nSELECT 1;"), name="001_a.sql")
    problem = raised.value.problem
    assert (problem.message, problem.file, problem.line, problem.hint) == (message, "001_a.sql", 2, hint)


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("-- sqlmigrations: retries 1\n-- sqlmigrations: retries 2",
         [(2, "directive 'retries' is given twice", "The first is on line 1; keep one.")]),
        ("-- sqlmigrations: allow a: x\n-- sqlmigrations: allow a: y",
         [(2, "directive 'allow a' is given twice", "The first is on line 1; keep one.")]),
        ("-- sqlmigrations: allow late\n-- sqlmigrations: allow late",
         [(2, "directive 'allow late' is given twice", "The first is on line 1; keep one.")]),
        ("SELECT 1;\n-- sqlmigrations: transaction off",
         [(2, "a directive below the first statement has no effect",
           "Move it to the top of the file, or reword the comment.")]),
        ("SELECT 1\n-- sqlmigrations: transaction off\n;",
         [(2, "a directive below the first statement has no effect",
           "Move it to the top of the file, or reword the comment.")]),
        ("-- sqlmigrations: transaction off\n-- sqlmigrations: isolation serializable",
         [(2, "'isolation' has no effect together with 'transaction off'", "Remove one of the two.")]),
        ("-- sqlmigrations: batch 5\n-- sqlmigrations: isolation serializable",
         [(2, "'isolation' has no effect together with 'batch'", "Remove one of the two.")]),
        ("-- sqlmigrations: batch 5\n-- sqlmigrations: transaction on",
         [(1, "'batch' and 'transaction on' contradict each other",
           "Each batch has a transaction of its own: remove one of the two.")]),
        ("-- sqlmigrations: batch 5\n-- sqlmigrations: transaction off\n-- sqlmigrations: pause 0", []),
        ("-- sqlmigrations: pause 1s\n-- sqlmigrations: max_lag 1s",
         [(1, "'pause' has no effect without 'batch'", "Add for example: batch 5000, or remove it."),
          (2, "'max_lag' has no effect without 'batch'", "Add for example: batch 5000, or remove it.")]),
        ("-- sqlmigrations: a\n-- sqlmigrations: b\n",
         [(1, "unknown directive 'a'", f"Known are: {KNOWN}."), (2, "unknown directive 'b'", f"Known are: {KNOWN}.")]),
    ],
)  # fmt: skip
def test_problems(text: str, problems: list[tuple[int, str, str]]) -> None:
    """All that is wrong is found, not only the first."""
    assert [(problem.line, problem.message, problem.hint) for problem in read(comments(text))[1]] == problems


@pytest.mark.parametrize(
    "text",
    ["0", "3s", "500ms", "10min", "1h", "24d", "1.5s", ".5s", "5.", "10 s", "2147483647", "100us", "2147483647ms"],
)
def test_durations(text: str, server: psycopg.Connection) -> None:
    """What passes here is what the server takes."""
    assert is_duration(text)
    server.execute("SELECT set_config('lock_timeout', %s, true)", [text])


@pytest.mark.parametrize("text", ["", "s", "3S", "3 sec", "-1", "1e", "2147483648", "25d", "1,5s", "3s;", "abc", "٣s"])
def test_no_durations(text: str, server: psycopg.Connection) -> None:
    """And the server refuses what does not."""
    assert not is_duration(text)
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        server.execute("SELECT set_config('lock_timeout', %s, true)", [text])
