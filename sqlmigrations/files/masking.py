"""Hide passwords in SQL that is kept or shown."""

from __future__ import annotations

import re

from sqlmigrations.files.statements import PARSED, ROWS, Statement
from sqlmigrations.files.tokens import Token, TokenKind, code

MASK = b"********"

#: ``PASSWORD 'x'`` of a role, ``password 'x'`` among the options of a server or user mapping.
_OPTIONS = ("password", "passwd", "sslpassword", "scram_client_key", "scram_server_key")
#: The same within a string, where quotes may be doubled: ``EXECUTE 'ALTER ROLE a PASSWORD ''x'''``.
_nested = re.compile(rb"(\bpassw(?:or)?d\"?\s++(?:[eEnN](?='))?)('+)(?!')(?:[^']|\2\2){0,200}\2", re.IGNORECASE)
#: ``password=x`` of a connection string; the value in quotes when it holds blanks.
_setting = re.compile(
    rb"(\b(?:ssl)?passw(?:or)?d\s*+=\s*+)(?:(\\?'+)(?:(?!\2).)*\2|[^\s'&]++)", re.IGNORECASE | re.DOTALL
)
#: ``scheme://user:password@host``.
_address = re.compile(rb"(\b[a-z][a-z0-9+.-]*+://[^\s:/@']*+:)[^\s@'/]++(?=@)", re.IGNORECASE)


def mask(statement: Statement) -> bytes:
    """Return the statement with asterisks in the place of its passwords.

    These are the passwords of roles, of user mappings, servers and other options, of connection strings and of
    addresses. Within DO blocks and functions they are found where they stand as constants.
    """
    sql = statement.sql
    limit = ROWS if statement.keywords[:1] in (("INSERT",), ("COPY",)) else PARSED
    if len(sql) > limit or not _is_suspect(sql):
        return sql
    parts: list[bytes] = []
    end = 0
    before: Token | None = None
    for token in code(sql):
        if token.kind is TokenKind.STRING:
            hidden = b"'" + MASK + b"'" if before and before.identifier in _OPTIONS else _within(token.text)
            parts += [sql[end : token.start], hidden]
            end = token.start + len(token.text)
        before = token
    return b"".join([*parts, sql[end:]])


def holds_masks(sql: bytes) -> bool:
    """Tell whether something is hidden in a kept text, which is then not what ran. Comments may hold asterisks."""
    return MASK in sql and any(token.kind is TokenKind.STRING and MASK in token.text for token in code(sql))


def _is_suspect(text: bytes) -> bool:
    """Say quickly whether a text may hold a password."""
    folded = text.lower()
    return b"passw" in folded or b"://" in folded or b"scram_" in folded


def _within(text: bytes) -> bytes:
    """Hide the passwords that a string constant holds, a function's body among them."""
    if not _is_suspect(text):
        return text
    text = _nested.sub(rb"\1\2" + MASK + rb"\2", text)
    text = _setting.sub(rb"\1" + MASK, text)
    return _address.sub(rb"\1" + MASK, text)
