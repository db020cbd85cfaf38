"""Write SQL for people to paste: names, and statements made of those of a file."""

from __future__ import annotations

import re

from sqlmigrations.files.tokens import code
from sqlmigrations.files.trees import Path

#: What a file needs at its top for statements that can't run in a transaction.
TRANSACTION_OFF = "-- sqlmigrations: transaction off\n"
#: What makes a file run in batches.
BATCH = "-- sqlmigrations: batch 5000\n"
#: What stands between the texts of two files in a rewrite.
NEXT_FILE = "\n-- In the next file:\n"


def words(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


_plain = re.compile(r"[a-z_][a-z0-9_$]*")
#: The reserved words of PostgreSQL 18 (https://www.postgresql.org/docs/18/sql-keywords-appendix.html).
_RESERVED = words(
    "all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate "
    "collation column concurrently constraint create cross current_catalog current_date current_role "
    "current_schema current_time current_timestamp current_user default deferrable desc distinct do else end "
    "except false fetch for foreign freeze from full grant group having ilike in initially inner intersect into "
    "is isnull join lateral leading left like limit localtime localtimestamp natural not notnull null offset on "
    "only or order outer overlaps placing primary references returning right select session_user similar some "
    "symmetric system_user table tablesample then to trailing true union unique user using variadic verbose when "
    "where window with"
)


def identifier(path: Path) -> str:
    """Write a name as SQL reads it back."""
    return ".".join(_part(part) for part in path)


def _part(part: str) -> str:
    if _plain.fullmatch(part) and part not in _RESERVED:
        return part
    return '"' + part.replace('"', '""') + '"'


def insert_after(sql: str, word: str, new: str) -> str:
    """Return a statement with a word put after the first ``word`` outside quotes."""
    for token in code(sql.encode()):
        if token.word == word:
            raw = sql.encode()
            end = token.start + len(token.text)
            return (raw[:end] + b" " + new.encode() + raw[end:]).decode()
    return sql


def allowed(rule: str, sql: str, reason: str) -> str:
    """Return a statement under the directive that takes the responsibility for it."""
    return f"-- sqlmigrations: allow {rule}: {reason}\n{sql};"


def constraint_name(table: Path, columns: Path, suffix: str) -> str:
    """Return the name that PostgreSQL would give a constraint."""
    return "_".join((table[-1], *columns, suffix))[:63]
