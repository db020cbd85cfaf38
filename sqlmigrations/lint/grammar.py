"""Have the server read statements without running them.

The protocol's Parse message parses the text and analyses queries; nothing is executed, and the unnamed statement is
forgotten with the next one (https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from psycopg import pq

from sqlmigrations.database import Connection
from sqlmigrations.files.statements import Statement
from sqlmigrations.lint.base import RULES, Certainty, Finding, Hit, finding
from sqlmigrations.lint.linter import Source
from sqlmigrations.messages import gettext as _

#: Larger statements, in bytes, are rows of data.
_LARGEST = 1024 * 1024
#: The server's own sources of errors in the text itself. Others, such as a table that an earlier file will make, depend
#: on what is there when the file runs.
_READERS = (b"scan.l", b"gram.y", b"scansup.c", b"parser.c")


def check_grammar(sources: Iterable[Source], connection: Connection) -> list[Finding]:
    """Return a finding for each statement that the server can't read. The connection must be idle, in autocommit.

    An error would end an open transaction, so nothing is asked in one.
    """
    if connection.info.transaction_status != pq.TransactionStatus.IDLE:
        return []
    return [
        found
        for source in sources
        for statement in source.statements
        if len(statement.sql) <= _LARGEST
        for found in _checked(source, statement, connection)
    ]


def _checked(source: Source, statement: Statement, connection: Connection) -> Iterator[Finding]:
    result = connection.pgconn.prepare(b"", statement.sql, None)
    if result.status != pq.ExecStatus.FATAL_ERROR:
        return
    file = result.error_field(pq.DiagnosticField.SOURCE_FILE) or b""
    if file not in _READERS:
        return
    message = (result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b"").decode(errors="replace")
    position = int(result.error_field(pq.DiagnosticField.STATEMENT_POSITION) or 1)
    line = statement.line + statement.text.count("\n", 0, position - 1)
    found = finding(
        RULES["syntax-error"],
        Hit(_("The server says: {message}.", message=message)),
        source.name,
        statement.number,
        line,
    )
    version = connection.info.server_version // 10000
    yield replace(found, certainty=Certainty.CONFIRMED, because=f"PostgreSQL {version} parsed it")
