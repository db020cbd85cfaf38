"""What to do about the errors that people meet most, beside PostgreSQL's own hint.

Advice goes by SQLSTATE, never by the message's words, which a server may print in another language.
https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from __future__ import annotations

import re
from collections.abc import Callable

import psycopg
from psycopg import sql

from sqlmigrations.database import Connection, fetch_all
from sqlmigrations.files.statements import Statement
from sqlmigrations.messages import gettext as _
from sqlmigrations.queries import query
from sqlmigrations.runner.server_words import last_name

Adviser = Callable[[Connection, Statement, psycopg.Error], str]

_NAME = r'(?:"(?:[^"]|"")+"|\w+)'
_QUALIFIED = rf"{_NAME}(?:\.{_NAME})*"
_DROP_INDEX = re.compile(rf"DROP\s+INDEX\s+(?:CONCURRENTLY\s+)?(?:IF\s+EXISTS\s+)?({_QUALIFIED})", re.IGNORECASE)
_MAKES_HISTORY = re.compile(
    r"CREATE\s+(?:TABLE|FUNCTION|SEQUENCE)\s+(?:\w+\.)?(?:sqlmigrations_\w+|django_migrations)\b", re.IGNORECASE
)


def advise(connection: Connection | None, statement: Statement | None, error: psycopg.Error) -> str:
    """Return what to do about ``error``, or nothing where we know no better than PostgreSQL.

    The transaction must have been rolled back: some advice looks into the catalog.
    """
    sqlstate = error.sqlstate or ""
    if statement is None:
        return _WITHOUT_STATEMENT.get(sqlstate, "")
    if sqlstate in _OF_LOST:
        return _OF_LOST[sqlstate]
    adviser = _ADVISERS.get(sqlstate)
    if adviser is None or connection is None:
        return ""
    try:
        return adviser(connection, statement, error)
    except psycopg.Error:  # advice is a courtesy: it never hides the error itself
        return ""


def _dependent_objects(connection: Connection, statement: Statement, error: psycopg.Error) -> str:
    match = _DROP_INDEX.search(statement.text)
    if match is None:
        return _("Drop what depends on it first, or add CASCADE if all of that may go too.")
    rows = fetch_all(connection, query("runner/sql/constraints_on_index.sql"), {"index": match[1]})
    if not rows:
        return _("Drop what depends on the index first.")
    commands = " ".join(command for (command,) in rows)
    return _(
        "A constraint needs this index and takes it along when it goes. Write instead: {commands}", commands=commands
    )


def _needs_no_transaction(connection: Connection, statement: Statement, error: psycopg.Error) -> str:
    return _("Put the statement into a file of its own that begins with: -- sqlmigrations: transaction off")


def _commit_inside(connection: Connection, statement: Statement, error: psycopg.Error) -> str:
    return _(
        "COMMIT and ROLLBACK inside DO or a procedure can't work while the file is one "
        "transaction. Take them out, or put the statement into a file of its own that begins "
        "with: -- sqlmigrations: transaction off"
    )


def _new_enum_value(connection: Connection, statement: Statement, error: psycopg.Error) -> str:
    return _("Move ALTER TYPE ... ADD VALUE into an earlier file: a new value can be used once its file is committed.")


def _lock_timeout(connection: Connection, statement: Statement, error: psycopg.Error) -> str:
    return _(
        "Another session held the lock for longer than lock_timeout. Run it again when that "
        "one is done, or give this file more time: -- sqlmigrations: lock_timeout 10s"
    )


def _cancelled(connection: Connection, statement: Statement, error: psycopg.Error) -> str:
    return _(
        "It took longer than statement_timeout, or somebody cancelled it. Give this file more time: "
        "-- sqlmigrations: statement_timeout 10min"
    )


def _duplicate_object(connection: Connection, statement: Statement, error: psycopg.Error) -> str:
    if _MAKES_HISTORY.match(statement.text):
        return _(
            "A run makes this itself before its first file, and a dump of a database with a "
            "history holds it, too. Dump again with: pg_dump --exclude-table='sqlmigrations_*' "
            "--exclude-table=django_migrations, and delete the functions called sqlmigrations_... "
            "from the file."
        )
    return _(
        "If the database has it already from elsewhere, record the file without running it: "
        "applysql --fake NAME. Otherwise write IF NOT EXISTS, where the command knows it, or "
        "OR REPLACE."
    )


def _duplicate_column(connection: Connection, statement: Statement, error: psycopg.Error) -> str:
    """Advise where a table has the column already; elsewhere the statement itself names one twice."""
    return _duplicate_object(connection, statement, error) if statement.keywords[:1] == ("ALTER",) else ""


def _missing_feature(connection: Connection, statement: Statement, error: psycopg.Error) -> str:
    if statement.keywords[:2] != ("CREATE", "EXTENSION"):
        return ""
    return _(
        "The extension's files are not on the server. Install its package there (Debian: "
        "postgresql-contrib or postgresql-NN-NAME), or see in pg_available_extensions what "
        "there is."
    )


def _undefined_object(connection: Connection, statement: Statement, error: psycopg.Error) -> str:
    if statement.keywords[:1] in {("GRANT",), ("REVOKE",)} or "OWNER" in statement.keywords:
        return _("Roles belong to the whole server. Create this one there first: CREATE ROLE ...;")
    return ""


def _undefined_table(connection: Connection, statement: Statement, error: psycopg.Error) -> str:
    named = last_name(error.diag.message_primary or "")
    if named is None:
        return ""
    name = named.rpartition(".")[2]
    rows = fetch_all(connection, query("runner/sql/tables_elsewhere.sql"), {"name": name})
    if not rows:
        return _("If another file makes it, name that file: -- sqlmigrations: requires NAME")
    found = ", ".join(place for (place,) in rows)
    return _(
        "There is {found}, which this session's search_path doesn't reach. Write the name with its schema.", found=found
    )


def _rows_in_the_way(connection: Connection, statement: Statement, error: psycopg.Error) -> str:
    if statement.keywords[:2] not in (("ALTER", "TABLE"), ("CREATE", "UNIQUE")):
        return ""
    return _("Rows of the table are in the way. Count and show them, without changing any: applysql --plan --lint")


def _insufficient_privilege(connection: Connection, statement: Statement, error: psycopg.Error) -> str:
    ((role,),) = fetch_all(connection, "SELECT current_user")
    grant = sql.SQL("GRANT ... TO {}").format(sql.Identifier(role)).as_string(connection)
    return _(
        "The files run as role {role}. Let the owner or a superuser say {grant}, or run them as another role.",
        role=role,
        grant=grant,
    )


_ADVISERS: dict[str, Adviser] = {
    "2BP01": _dependent_objects,
    "25001": _needs_no_transaction,
    "2D000": _commit_inside,
    "55P04": _new_enum_value,
    "55P03": _lock_timeout,
    "57014": _cancelled,
    "42P07": _duplicate_object,
    "42710": _duplicate_object,
    "42701": _duplicate_column,
    "42723": _duplicate_object,
    "42P06": _duplicate_object,
    "0A000": _missing_feature,
    "58P01": _missing_feature,
    "42704": _undefined_object,
    "42P01": _undefined_table,
    "42501": _insufficient_privilege,
    "23502": _rows_in_the_way,
    "23503": _rows_in_the_way,
    "23505": _rows_in_the_way,
    "23514": _rows_in_the_way,
}

_DEFERRED = _("A deferred constraint is violated at the end of the file: its rows must fit before the file ends.")
_WITHOUT_STATEMENT = {"23503": _DEFERRED, "23505": _DEFERRED, "23P01": _DEFERRED}

#: Where the server has ended the session, and there is nothing to look into.
_OF_LOST = {
    "25P04": _(
        "A file is one transaction, and it took longer than transaction_timeout, which is set for the role or the "
        "database. Give the role that runs files more: ALTER ROLE ... SET transaction_timeout = 0;"
    )
}
