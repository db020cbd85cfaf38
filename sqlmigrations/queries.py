"""Reads the package's own ``.sql`` files."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from psycopg import sql

PACKAGE = Path(__file__).parent


@cache
def query(path: str) -> sql.SQL:
    """Return the text of ``path``, relative to the package, as a query."""
    return sql.SQL((PACKAGE / path).read_text(encoding="utf-8"))
