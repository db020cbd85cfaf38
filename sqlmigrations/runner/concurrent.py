"""Statements that run bare, outside any transaction: what they leave behind, and whether they happened.

Nothing records such a statement together with its effect, so the catalog is asked. CREATE INDEX CONCURRENTLY that fails
or is killed leaves an INVALID index, over which IF NOT EXISTS would later report success.
https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from psycopg import sql

from sqlmigrations.database import Connection, fetch_all, fetch_dicts
from sqlmigrations.files.statements import Statement
from sqlmigrations.queries import query
from sqlmigrations.runner.lock import OnWait, poll

_NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)'
_QUALIFIED = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_BLANK = r"(?:\s|--[^\n]*\n|/\*.*?\*/)+"


def _pattern(text: str) -> re.Pattern[str]:
    """Compile a command's beginning: blanks stand for white space and comments, ~ for some or none, NAME for a name."""
    source = text.replace("NAME", f"({_QUALIFIED})").replace(" ", _BLANK).replace("~", rf"(?:{_BLANK})?")
    return re.compile(source, re.IGNORECASE | re.DOTALL)


_CREATE_INDEX = _pattern(r"CREATE (?:UNIQUE )?INDEX CONCURRENTLY (?:IF NOT EXISTS )?NAME ON (?:ONLY )?NAME")
_DROP_INDEX = _pattern(r"DROP INDEX CONCURRENTLY (?:IF EXISTS )?NAME~;?$")
_REINDEX_INDEX = _pattern(r"REINDEX (?:\([^)]*\)~)?INDEX CONCURRENTLY NAME")
_DETACH = _pattern(r"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?NAME DETACH PARTITION NAME (?:CONCURRENTLY|FINALIZE)~;?$")

#: Commands that may simply be executed again: a second time changes nothing that the first did not.
_REPEATABLE = {
    ("VACUUM",),
    ("ANALYZE",),
    ("REINDEX",),
    ("CHECKPOINT",),
    ("CLUSTER",),
    ("DISCARD",),
    ("ALTER", "SYSTEM"),
}


class Answer(Enum):
    """What the catalog says of a statement that was begun and whose end nobody saw."""

    DONE = "done"
    NOT_DONE = "not done"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Index:
    """An index as the catalog shows it."""

    valid: bool
    table: str
    name: str
    builder: int | None


class InvalidIndex(Exception):
    """A statement reported success, but its index can't be used."""


class StillBuilding(Exception):
    """Another backend is at work on the index."""


def created_index(statement: Statement) -> str | None:
    """Return the name of the index that a CREATE INDEX CONCURRENTLY makes, in the schema of its table."""
    match = _CREATE_INDEX.match(statement.text)
    if match is None:
        return None
    index, table = match[1], match[2]
    schema = re.match(rf"(.*)\s*\.\s*{_NAME}$", table, re.DOTALL)
    return f"{schema[1]}.{index}" if schema and "." not in index else index


def find_index(connection: Connection, name: str) -> Index | None:
    """Look an index up by its name as written in SQL."""
    rows = fetch_dicts(connection, query("runner/sql/index_state.sql"), {"index": name})
    return Index(**rows[0]) if rows else None


def look(connection: Connection, statement: Statement) -> Answer:
    """Ask the catalog whether a statement that was begun has happened."""
    if name := created_index(statement):
        index = find_index(connection, name)
        return Answer.DONE if index and index.valid else Answer.NOT_DONE
    if match := _DROP_INDEX.match(statement.text):
        return Answer.NOT_DONE if find_index(connection, match[1]) else Answer.DONE
    if match := _DETACH.match(statement.text):
        return _look_at_detach(connection, match[1], match[2])
    if any(statement.keywords[: len(words)] == words for words in _REPEATABLE):
        return Answer.NOT_DONE
    return Answer.UNKNOWN


def _look_at_detach(connection: Connection, parent: str, partition: str) -> Answer:
    rows = fetch_all(connection, query("runner/sql/detach_pending.sql"), {"parent": parent, "partition": partition})
    if not rows:
        return Answer.DONE
    ((pending,),) = rows
    return Answer.UNKNOWN if pending else Answer.NOT_DONE


def clear_leftover(connection: Connection, statement: Statement, wait: float, on_wait: OnWait) -> str:
    """Drop the INVALID index that an earlier try of this very statement left; return a note of it, or nothing.

    With a living builder it is work in progress, and is waited for.

    Raises:
        StillBuilding: it was not done after ``wait`` seconds.
    """
    name = created_index(statement)
    if name is None:
        return ""
    if not poll(lambda: not _is_building(connection, name), lambda: None, wait, on_wait):
        raise StillBuilding(f"Another backend is still building the index {name}.")
    index = find_index(connection, name)
    if index is None or index.valid:
        return ""
    connection.execute(sql.SQL("DROP INDEX CONCURRENTLY {}").format(_identifier(index.name)))
    return f"dropped the INVALID index {index.name}, which an earlier try had left"


def _is_building(connection: Connection, name: str) -> bool:
    index = find_index(connection, name)
    return index is not None and not index.valid and index.builder is not None


def _identifier(name: str) -> sql.SQL:
    """Take a name as the server itself quoted it."""
    return sql.SQL(name)


def check_result(connection: Connection, statement: Statement) -> None:
    """Check that what the statement reported as done can be used.

    Raises:
        InvalidIndex: the index is INVALID; with IF NOT EXISTS, it was so before.
    """
    match = _REINDEX_INDEX.match(statement.text)
    name = match[1] if match else created_index(statement)
    index = find_index(connection, name) if name else None
    if index is not None and not index.valid:
        raise InvalidIndex(f"The index {index.name} on {index.table} is INVALID: it is not used for any query.")
