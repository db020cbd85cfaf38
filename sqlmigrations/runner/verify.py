"""Runs a verify script: every boolean column of every row must be true."""

from __future__ import annotations

import psycopg
from psycopg.rows import tuple_row

from sqlmigrations.database import Connection, Cursor
from sqlmigrations.files.scripts import Script
from sqlmigrations.files.statements import Statement
from sqlmigrations.messages import gettext as _
from sqlmigrations.runner.failure import Failure, StatementFailed, of_statement
from sqlmigrations.runner.send import execute

_BOOLEAN = psycopg.adapters.types["bool"].oid


class VerifyFailed(Exception):
    """A verify script found that the file did not do what it should; ``problem`` is empty where it failed itself."""

    def __init__(self, failure: Failure, problem: str = "") -> None:
        self.failure = failure
        self.problem = problem
        super().__init__(failure.message)


def verify(connection: Connection, script: Script) -> None:
    """Run ``script`` read-only in a savepoint that is rolled back.

    Raises:
        VerifyFailed: a boolean column is false or NULL, or a statement failed.
    """
    with connection.transaction(force_rollback=True), connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute("SET LOCAL transaction_read_only = on")
        for statement in script.read():
            try:
                execute(cursor, statement)
            except psycopg.Error as error:
                raise VerifyFailed(of_statement(script.name, script.path, StatementFailed(statement, error))) from error
            if problem := _untrue(cursor):
                raise VerifyFailed(_not_verified(script, statement, problem), problem)


def _untrue(cursor: Cursor) -> str:
    """Name the first boolean that isn't true; return nothing when all are, or there is none."""
    columns = cursor.description or ()
    booleans = [(index, column.name) for index, column in enumerate(columns) if column.type_code == _BOOLEAN]
    if not booleans:
        return ""
    for number, row in enumerate(cursor, start=1):
        for index, name in booleans:
            if row[index] is not True:
                value = "NULL" if row[index] is None else "false"
                return _('column "{name}" of row {number} is {value}', name=name, number=number, value=value)
    return ""


def _not_verified(script: Script, statement: Statement, problem: str) -> Failure:
    return Failure(
        message=_("The file ran, but its verify script says no: {problem}.", problem=problem),
        file=script.name,
        line=statement.line,
        source=statement.text.partition("\n")[0],
        statement=statement.text,
        advice=_("Every boolean that a verify script returns must be true."),
    )
