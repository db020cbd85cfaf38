"""One statement of a SQL file, and what can be told from it alone."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlmigrations.files.tokens import TokenKind, code

#: How many leading words a statement carries.
KEYWORDS = 8
#: Statements above this size, in bytes, are not parsed: 200,000 rows take the parser 12 s and 690 MB.
PARSED = 256 * 1024
#: Rows of an INSERT or COPY beyond this size, in bytes, are data and looked at no closer.
ROWS = 16 * 1024


@dataclass(frozen=True, slots=True)
class Statement:
    r"""One statement, from its first token through its semicolon or the end of the file.

    ``offset`` says where it begins in the file, in bytes (a byte order mark counted), ``line`` in lines from 1.
    ``keywords`` are its first bare words in upper case, outside quotes and parentheses. For ``COPY ... FROM stdin``,
    ``data`` yields the data that follows, without the line ``\\.``, and ``data_line`` is the line where it begins.
    """

    number: int
    sql: bytes
    offset: int = 0
    line: int = 1
    keywords: tuple[str, ...] = ()
    data: Iterator[bytes] | None = None
    data_line: int = 0

    @property
    def text(self) -> str:
        """The statement as text."""
        return self.sql.decode()


def transaction_control(statement: Statement) -> str | None:
    """Return the command that would end, begin or change the file's transaction, if the statement is one.

    SAVEPOINT, RELEASE and ROLLBACK TO stay inside it and are no such command.
    """
    words = (*statement.keywords, "", "", "", "")
    first, second = words[:2]
    match first:
        case "BEGIN" | "END" | "ABORT":
            return first
        case "START" if second == "TRANSACTION":
            return "START TRANSACTION"
        case "PREPARE" if statement.keywords[1:] == ("TRANSACTION",):
            # With more words it prepares a statement that is called "transaction".
            return "PREPARE TRANSACTION"
        case "COMMIT":
            return "COMMIT PREPARED" if second == "PREPARED" else "COMMIT"
        case "ROLLBACK":
            if second == "PREPARED":
                return "ROLLBACK PREPARED"
            target = words[2] if second in ("WORK", "TRANSACTION") else second
            return None if target == "TO" else "ROLLBACK"
        case "SET":
            name = words[2] if second in ("LOCAL", "SESSION") else second
            settings = ("TRANSACTION", "TRANSACTION_ISOLATION", "TRANSACTION_READ_ONLY", "TRANSACTION_DEFERRABLE")
            return "SET TRANSACTION" if name in settings else None
    return None


def needs_autocommit(statement: Statement) -> str | None:
    """Return the command if PostgreSQL refuses it inside a transaction block, whatever the database holds.

    Source: each ``PreventInTransactionBlock`` of the server, 14 to 18.
    """
    words = statement.keywords + ("",) * KEYWORDS
    match words[:2]:
        case ("CREATE" | "DROP", "INDEX" | "UNIQUE") if "CONCURRENTLY" in words[2:4]:
            return f"{words[0]} INDEX CONCURRENTLY"
        case ("REINDEX", _):
            return _reindex(statement)
        case ("VACUUM", _):
            return "VACUUM"
        case ("CLUSTER", "" | "VERBOSE") if not words[2] and not _names_something(statement):
            return "CLUSTER without a table"
        case ("CREATE" | "DROP", "DATABASE" | "TABLESPACE"):
            return f"{words[0]} {words[1]}"
        case ("ALTER", "SYSTEM"):
            return "ALTER SYSTEM"
        case ("ALTER", "DATABASE") if "SET TABLESPACE" in " ".join(words[2:]):
            return "ALTER DATABASE ... SET TABLESPACE"
        case ("ALTER", "TABLE") if b"concurrently" in statement.sql.lower() and _detaches_concurrently(statement):
            return "DETACH PARTITION ... CONCURRENTLY"
        case ("DISCARD", "ALL"):
            return "DISCARD ALL"
        case ("CREATE" | "ALTER" | "DROP", "SUBSCRIPTION"):
            return _subscription(statement)
    return None


def may_need_autocommit(statement: Statement) -> str | None:
    """Return the command if PostgreSQL may refuse it inside a transaction block, depending on what it meets there.

    A file with ``transaction off`` sends these bare: a procedure or DO block that commits, a partitioned table, a
    subscription with a slot. In an ordinary file the server decides.
    """
    if reason := needs_autocommit(statement):
        return reason
    words = (*statement.keywords, "", "")
    match words[:2]:
        case ("CALL", _):
            return "CALL"
        case ("DO", _) if any(word in ("COMMIT", "ROLLBACK") for word in _body_words(statement)):
            return "DO with COMMIT or ROLLBACK"
        case ("REINDEX" | "CLUSTER", _):
            return words[0]
        case ("ALTER" | "DROP", "SUBSCRIPTION"):
            return f"{words[0]} SUBSCRIPTION"
    return None


def sends_rows(statement: Statement) -> bool:
    """Say whether the statement is a COPY that sends rows to the client; STDIN means the same as STDOUT there."""
    if statement.keywords[:1] != ("COPY",):
        return False
    after = dict(itertools.pairwise(statement.keywords))
    return after.get("TO") in ("STDOUT", "STDIN")


def may_drop_index(statement: Statement) -> bool:
    """Say quickly whether the statement drops an index, or a DO block may."""
    match statement.keywords[:2]:
        case ("DROP", "INDEX"):
            return True
        case ("DO", *_):
            text = statement.sql.lower()
            return b"drop" in text and b"index" in text
    return False


def waits_beside_others(statement: Statement) -> bool:
    """Say whether readers and writers go on while the statement waits for its locks, so that it may take its time.

    It wants no more than SHARE UPDATE EXCLUSIVE until nobody is in the way. All others would have everybody queue
    behind them: https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
    """
    match statement.keywords[:2]:
        case ("VACUUM", *_):
            return "FULL" not in _code_words(statement)
        case ("ANALYZE", *_):
            return True
        case ("ALTER", "TABLE"):
            return _validates(statement) or _detaches_concurrently(statement)
        case ("CREATE" | "DROP" | "REINDEX", *_):
            return _concurrent(statement) and needs_autocommit(statement) is not None
    return False


def _validates(statement: Statement) -> bool:
    """Say whether all that an ALTER TABLE does is to check the rows of a constraint that was NOT VALID."""
    found = list(itertools.pairwise(_code_words(statement)))
    return ("VALIDATE", "CONSTRAINT") in found and b"," not in statement.sql


def _reindex(statement: Statement) -> str | None:
    found = [token.word or token.text.decode().upper() for token in code(statement.sql)]
    for word, following in itertools.pairwise(found):
        if word == "CONCURRENTLY" and following not in _OFF:
            return "REINDEX CONCURRENTLY"
        if word in ("TABLE", "INDEX") and following != "CONCURRENTLY":
            return None
        if word in ("SCHEMA", "DATABASE", "SYSTEM"):
            return f"REINDEX {word}"
    return None


def _names_something(statement: Statement) -> bool:
    return any(token.kind is TokenKind.QUOTED_NAME for token in code(statement.sql))


def _detaches_concurrently(statement: Statement) -> bool:
    words = [token.word for token in code(statement.sql) if token.text != b";"]
    return words[-1:] == ["CONCURRENTLY"] and "DETACH" in words


def _subscription(statement: Statement) -> str | None:
    verb = statement.keywords[0]
    if verb == "DROP":
        return "DROP SUBSCRIPTION"
    words = " ".join(token.word or token.text.decode() for token in code(statement.sql))
    options = words.replace(" ", "").upper()
    if verb == "CREATE":
        offline = any(f"{name}={off}" in options for name in ("CONNECT", "CREATE_SLOT") for off in _OFF)
        return None if offline else "CREATE SUBSCRIPTION"
    if "REFRESHPUBLICATION" in options:
        return "ALTER SUBSCRIPTION ... REFRESH PUBLICATION"
    changes = any(f"{change}PUBLICATION" in options for change in ("SET", "ADD", "DROP"))
    if changes and not any(f"REFRESH={off}" in options for off in _OFF):
        return "ALTER SUBSCRIPTION ... PUBLICATION with refresh"
    return None


_OFF = ("FALSE", "OFF", "0", "'FALSE'", "'OFF'", "NO")


def _body_words(statement: Statement) -> list[str]:
    """Return the words of a DO block's body."""
    bodies = [token.string for token in code(statement.sql) if token.kind is TokenKind.STRING]
    return [token.word for body in bodies for token in code(body.encode())]


_LASTING = ("SET_CONFIG", "PG_ADVISORY_LOCK", "PG_ADVISORY_LOCK_SHARED", "PG_TRY_ADVISORY_LOCK", "SETSEED")


def is_session(statement: Statement) -> bool:
    """Say whether the statement changes the session and nothing else, so that a resumed file must run it again."""
    words = (*statement.keywords, "", "")
    match words[:2]:
        case ("SET", second):
            return second not in ("LOCAL", "TRANSACTION", "CONSTRAINTS") and transaction_control(statement) is None
        case ("RESET" | "LOAD" | "LISTEN" | "UNLISTEN" | "DEALLOCATE" | "DISCARD", _):
            return True
        case ("PREPARE", second):
            return second != "TRANSACTION"
        case ("SELECT", _):
            return any(token.word in _LASTING for token in code(statement.sql[:PARSED]))
    return False


def turns_backslashes_on(statement: Statement) -> bool:
    """Say whether the statement turns ``standard_conforming_strings`` off, so that backslashes escape quotes."""
    if statement.keywords[:1] not in (("SET",), ("SELECT",), ("ALTER",)) or b"conforming" not in statement.sql.lower():
        return False
    found = [token.identifier or token.string.lower() for token in code(statement.sql[:PARSED]) if token.text != b"("]
    before: tuple[str, ...] = ("set_config",) if statement.keywords[0] == "SELECT" else ("set", "local", "session")
    for index in range(1, len(found) - 2):
        if found[index] == "standard_conforming_strings" and found[index - 1] in before:
            return found[index + 2] not in ("on", "true", "yes", "default", "")
    return False


def makes_temporary(statement: Statement) -> bool:
    """Say whether the statement makes an object that ends with the session."""
    words = statement.keywords
    if words[:1] == ("CREATE",):
        head = words[: next((i for i, word in enumerate(words) if word in _MAKEABLE), 0) + 1]
        return "TEMP" in head or "TEMPORARY" in head or "PG_TEMP" in words
    if words[:1] in (("SELECT",), ("WITH",)):
        found = [token.word for token in code(statement.sql[:PARSED])]
        return any(pair in itertools.pairwise(found) for pair in (("INTO", "TEMP"), ("INTO", "TEMPORARY")))
    return False


_MAKEABLE = ("TABLE", "VIEW", "SEQUENCE", "FUNCTION", "PROCEDURE", "TYPE")


def _code_words(statement: Statement) -> list[str]:
    return [token.word for token in code(statement.sql[:PARSED])]


def _concurrent(statement: Statement) -> bool:
    if statement.keywords[:1] not in (("CREATE",), ("DROP",), ("REINDEX",), ("REFRESH",), ("ALTER",)):
        return False
    return b"concurrently" in statement.sql[:PARSED].lower() and "CONCURRENTLY" in _code_words(statement)


def tree(statement: Statement) -> dict[str, Any] | None:
    """Return pgparse's tree of the statement, ``{"SelectStmt": {...}}``, or None when it is unparsed.

    Unparsed is what is too large, nested too deeply, or written in a newer grammar than pgparse knows. Places within
    the tree are bytes. Don't change what is returned: it is kept for the next caller.
    """
    return parse(statement.sql)


@functools.lru_cache(maxsize=512)
def parse(sql: bytes) -> dict[str, Any] | None:
    """Return pgparse's tree of one statement; None when it can't be parsed, or is not one statement."""
    if len(sql) > PARSED or b"\0" in sql:
        return None
    import pgparse

    try:
        found = pgparse.parse(sql.decode())
    except (pgparse.PGQueryError, RecursionError, ValueError):
        return None
    if len(found) != 1:
        return None
    stmt: dict[str, Any] = found[0]["stmt"]
    return stmt
