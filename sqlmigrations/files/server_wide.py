"""Statements that reach beyond their database: roles, tablespaces, settings of the whole server."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlmigrations.files.splitter import Splitter
from sqlmigrations.files.statements import Statement

#: What belongs to the whole server: https://www.postgresql.org/docs/current/catalogs-overview.html (shared catalogs);
#: a subscription makes a slot on another one.
_SHARED = frozenset({"ROLE", "USER", "GROUP", "DATABASE", "TABLESPACE", "SUBSCRIPTION", "SYSTEM"})


def server_wide(statement: Statement) -> str:
    """Return the command if the statement changes what other databases of the server have too, else nothing.

    What a DO block, a function or a procedure does can't be told.
    """
    words = (*statement.keywords, "", "", "")
    match words[:3]:
        case ("CREATE" | "ALTER" | "DROP", "USER", "MAPPING"):
            return ""
        case ("CREATE" | "ALTER" | "DROP" as verb, kind, _) if kind in _SHARED:
            return f"{verb} {kind}"
        case ("COMMENT", "ON", kind) if kind in _SHARED:
            return f"COMMENT ON {kind}"
        case ("SECURITY", "LABEL", _) if _SHARED & set(words[3:6]):
            return "SECURITY LABEL"
        case ("REASSIGN" | "DROP", "OWNED", _):
            return f"{words[0]} OWNED"
        case ("GRANT" | "REVOKE", _, _):
            return _grant(words)
    return ""


#: What is granted on an object, as opposed to a role: https://www.postgresql.org/docs/current/ddl-priv.html
_PRIVILEGES = frozenset(
    {
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
        "TRUNCATE",
        "REFERENCES",
        "TRIGGER",
        "MAINTAIN",
        "USAGE",
        "CREATE",
        "CONNECT",
        "TEMPORARY",
        "TEMP",
        "EXECUTE",
        "SET",
        "ALTER",
        "ALL",
    }
)


def _grant(words: tuple[str, ...]) -> str:
    """Return the command if a GRANT or REVOKE is of a role, or of a right on a database, a tablespace or a setting."""
    verb, given = words[0], words[1:]
    if given[:3] == ("GRANT", "OPTION", "FOR"):
        given = given[3:]
    if given[0] not in _PRIVILEGES or given[1] == "OPTION":
        return f"{verb} of a role"
    kind = given[given.index("ON") + 1] if "ON" in given[:-1] else ""
    return f"{verb} ON {kind}" if kind in ("DATABASE", "TABLESPACE", "PARAMETER") else ""


def without_server_wide(text: bytes, name: str = "") -> tuple[bytes, list[tuple[int, str]]]:
    """Return a script without its server-wide statements, and these: their lines and commands.

    Lines keep their numbers. Raises ``InvalidFile`` for a script that can't be read.
    """
    found = list(_found(text, name))
    for start, end, _line, _command in reversed(found):
        text = text[:start] + re.sub(rb"[^\n]", b" ", text[start:end]) + text[end:]
    return text, [(line, command) for _start, _end, line, command in found]


def _found(text: bytes, name: str) -> Iterator[tuple[int, int, int, str]]:
    for statement in Splitter([text], name=name):
        if command := server_wide(statement):
            yield statement.offset, statement.offset + len(statement.sql), statement.line, command
