"""Hide passwords in SQL that is kept or shown."""

from __future__ import annotations

import re

from sqlmigrations.files.statements import Statement

MASK = b"'********'"
_LITERAL = rb"(?:[eEnN]|[uU]&)?+(?:'(?:[^'\\]|\\.|'')*+'|''(?:[^'\\])*+''|\$(\w*)\$.*?\$\1\$)"
#: ``PASSWORD 'x'`` of a role; ``password 'x'`` among the options of a server, user mapping or foreign table.
_password = re.compile(rb"(\b(?:ssl|scram_)?password\"?\s++)" + _LITERAL, re.IGNORECASE | re.DOTALL)
#: ``password=x`` within a connection string, quoted or not.
_setting = re.compile(rb"(\b(?:ssl)?password\s*+=\s*+)(?:\\?''(?:[^'\\]|\\.)*+''|[^\s'$;,)\"]++)", re.IGNORECASE)
#: ``scheme://user:password@host``.
_address = re.compile(rb"(\b[a-z][a-z0-9+.-]*+://[^\s:/@']*+:)[^\s@'/]++(?=@)", re.IGNORECASE)
_STATEMENTS = {
    ("CREATE", "ROLE"), ("CREATE", "USER"), ("CREATE", "GROUP"), ("ALTER", "ROLE"), ("ALTER", "USER"),
    ("ALTER", "GROUP"), ("CREATE", "SERVER"), ("ALTER", "SERVER"), ("CREATE", "SUBSCRIPTION"),
    ("ALTER", "SUBSCRIPTION"), ("CREATE", "FOREIGN"), ("ALTER", "FOREIGN"),
}  # fmt: skip


def mask(statement: Statement) -> bytes:
    """Return the statement with its password literals replaced by ``'********'``."""
    sql = statement.sql
    words = statement.keywords
    if b"assword" not in sql and b"PASSWORD" not in sql and b"://" not in sql:
        return sql
    if words[:2] in _STATEMENTS or words[:1] == ("DO",) or "FUNCTION" in words or "PROCEDURE" in words:
        sql = _password.sub(rb"\1" + MASK, sql)
        sql = _setting.sub(rb"\1********", sql)
    return _address.sub(rb"\1********", sql)
