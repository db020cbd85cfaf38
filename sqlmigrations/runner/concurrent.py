"""Statements that run bare, outside any transaction: what they leave behind, and whether they happened.

Nothing records such a statement together with its effect, so the catalog is asked. CREATE INDEX CONCURRENTLY and
REINDEX CONCURRENTLY that fail or are killed leave INVALID indexes: over the former IF NOT EXISTS would later report
success, the latter (``..._ccnew``, ``..._ccold``) stay until somebody drops them. DETACH PARTITION CONCURRENTLY that is
killed in its second transaction leaves a partition that is neither attached nor detached.
https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
https://www.postgresql.org/docs/current/sql-reindex.html#SQL-REINDEX-CONCURRENTLY
https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DETACH-PARTITION
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import Enum

from psycopg import sql

from sqlmigrations.database import Connection, fetch_dicts
from sqlmigrations.files.statements import Statement, needs_autocommit
from sqlmigrations.messages import gettext as _
from sqlmigrations.queries import query
from sqlmigrations.runner.lock import OnWait, poll

#: What a statement fails with that, against all appearances, can't run in a transaction: a procedure that commits, a
#: partitioned table's CLUSTER or REINDEX. It has changed nothing then.
BARE_AFTER_ALL = frozenset({"2D000", "25001"})

_NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)'
_QUALIFIED = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_BLANK = r"(?:\s|--[^\n]*\n|/\*.*?\*/)"


def _pattern(text: str) -> re.Pattern[str]:
    """Compile a command's beginning: a blank stands for white space and comments, ``~`` for those that may be missing.

    NAME is a name, as a group.
    """
    source = text.replace("NAME", f"({_QUALIFIED})").replace(" ", f"{_BLANK}+").replace("~", f"{_BLANK}*")
    return re.compile(source, re.IGNORECASE | re.DOTALL)


_CREATE_INDEX = _pattern(
    r"CREATE (?:UNIQUE )?INDEX CONCURRENTLY (?:IF NOT EXISTS )?(?:(?!ON\b)NAME )?ON (?:ONLY )?NAME"
)
_DROP_INDEX = _pattern(r"DROP INDEX CONCURRENTLY (?:IF EXISTS )?NAME~;?$")
_REINDEX = _pattern(r"REINDEX~(?:\([^)]*\)~)?(INDEX|TABLE|SCHEMA|DATABASE|SYSTEM)\b(?: CONCURRENTLY\b)?(?: NAME)?")
_DETACH = _pattern(r"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?NAME DETACH PARTITION NAME CONCURRENTLY~;?$")

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
    """An index as the catalog shows it; ``builder`` is the pid of the backend that is still at work on it."""

    schema: str
    name: str
    table: str
    valid: bool
    builder: int | None

    @property
    def identifier(self) -> sql.Identifier:
        """Its qualified name."""
        return sql.Identifier(self.schema, self.name)

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


class InvalidIndex(Exception):
    """A statement reported success, but an index that it names can't be used; ``advice`` says what helps."""

    def __init__(self, message: str, advice: str) -> None:
        self.advice = advice
        super().__init__(message)


class StillBuilding(Exception):
    """Another backend is at work on the index."""


# What the catalog shows


def created_index(statement: Statement) -> str | None:
    """Return the name of the index that a CREATE INDEX CONCURRENTLY makes, in the schema of its table."""
    match = _CREATE_INDEX.match(statement.text)
    if match is None or match[1] is None:
        return None
    index, table = match[1], match[2]
    schema = re.match(rf"(.*)\s*\.\s*{_NAME}$", table, re.DOTALL)
    return f"{schema[1]}.{index}" if schema and "." not in index else index


def find_index(connection: Connection, name: str) -> Index | None:
    """Look an index up by its name as written in SQL."""
    rows = fetch_dicts(connection, query("runner/sql/index_state.sql"), {"index": name})
    return Index(**rows[0]) if rows else None


def invalid_indexes(connection: Connection, statement: Statement) -> list[Index]:
    """Return the INVALID indexes where ``statement`` could leave some; none for statements that build no index."""
    if match := _CREATE_INDEX.match(statement.text):
        scope, name = "TABLE", match[2]
    elif match := _REINDEX.match(statement.text):
        scope, name = match[1].upper(), match[2]
    else:
        return []
    rows = fetch_dicts(connection, query("runner/sql/invalid_indexes.sql"), {"scope": scope, "name": name})
    return [Index(**row) for row in rows]


# Whether a statement happened


def look(connection: Connection, statement: Statement) -> Answer:
    """Ask the catalog whether a statement that was begun has happened."""
    if name := created_index(statement):
        index = find_index(connection, name)
        return Answer.DONE if index and index.valid else Answer.NOT_DONE
    if match := _DROP_INDEX.match(statement.text):
        return Answer.NOT_DONE if find_index(connection, match[1]) else Answer.DONE
    if _DETACH.match(statement.text):
        return Answer.NOT_DONE if _partition(connection, statement) else Answer.DONE
    return Answer.NOT_DONE if _is_repeatable(statement) else Answer.UNKNOWN


def may_be_repeated(statement: Statement) -> bool:
    """Tell whether a statement that was refused may be sent again at once: it does no harm and leaves no wreck."""
    return _is_repeatable(statement) and needs_autocommit(statement) != "REINDEX CONCURRENTLY"


def _is_repeatable(statement: Statement) -> bool:
    return any(statement.keywords[: len(words)] == words for words in _REPEATABLE)


def _partition(connection: Connection, statement: Statement) -> dict[str, str | bool] | None:
    match = _DETACH.match(statement.text)
    if match is None:
        return None
    names = {"parent": match[1], "partition": match[2]}
    return next(iter(fetch_dicts(connection, query("runner/sql/detach_pending.sql"), names)), None)


# What is left of an earlier try


def await_builder(connection: Connection, statement: Statement, wait: float, on_wait: OnWait) -> None:
    """Wait until nobody else is at work on the index that ``statement`` makes.

    Raises:
        StillBuilding: it was not done after ``wait`` seconds.
    """
    name = created_index(statement)
    if name is None or poll(lambda: _builder(connection, name) is None, lambda: None, wait, on_wait):
        return
    raise StillBuilding(f"The backend with pid {_builder(connection, name)} is still building the index {name}.")


def _builder(connection: Connection, name: str) -> int | None:
    index = find_index(connection, name)
    return None if index is None or index.valid else index.builder


def clear_leftovers(connection: Connection, statement: Statement, before: Collection[str]) -> list[str]:
    """Drop the INVALID indexes that an earlier try of ``statement`` left; return a note of each.

    Those are: the one that it makes by name, and others that are not among ``before``, which were there before that
    try. What somebody still works on is left alone.
    """
    own = created_index(statement)
    named = find_index(connection, own) if own else None
    left = [
        index
        for index in invalid_indexes(connection, statement)
        if index.builder is None and (str(index) not in before or index == named)
    ]
    for index in left:
        connection.execute(sql.SQL("DROP INDEX CONCURRENTLY {}").format(index.identifier))
    return [f"dropped the INVALID index {index}, which an earlier try had left" for index in left]


def finishing(connection: Connection, statement: Statement) -> Statement | None:
    """Return the statement that finishes a DETACH PARTITION CONCURRENTLY which stopped half-way; nothing for others."""
    found = _partition(connection, statement)
    if found is None or not found["pending"]:
        return None
    finalize = sql.SQL("ALTER TABLE {} DETACH PARTITION {} FINALIZE").format(
        sql.Identifier(str(found["parent_schema"]), str(found["parent"])),
        sql.Identifier(str(found["schema"]), str(found["partition"])),
    )
    return replace(statement, sql=finalize.as_bytes(connection))


# What a statement made


def check_result(connection: Connection, statement: Statement) -> None:
    """Check that what the statement reported as done can be used.

    Raises:
        InvalidIndex: an index is INVALID: IF NOT EXISTS found it there, or REINDEX passed over it.
    """
    if name := created_index(statement):
        index = find_index(connection, name)
        if index is not None and not index.valid:
            raise InvalidIndex(
                _(
                    "The index {index} on {table} is INVALID: it is not used for any query.",
                    index=index,
                    table=index.table,
                ),
                _("Run it again: the INVALID index is dropped before the retry."),
            )
    elif _REINDEX.match(statement.text):
        left = [index for index in invalid_indexes(connection, statement) if index.builder is None]
        if left:
            names = ", ".join(f"{index} on {index.table}" for index in left)
            raise InvalidIndex(
                _("INVALID after REINDEX, which passes over such indexes: {names}.", names=names),
                _("Drop it (DROP INDEX CONCURRENTLY {index};) or rebuild it alone, and run it again.", index=left[0]),
            )
