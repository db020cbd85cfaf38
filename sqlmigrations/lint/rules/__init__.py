"""The rules, by theme. Importing this package registers them all."""

from __future__ import annotations

from sqlmigrations.lint.rules import (
    added_columns,
    columns,
    constraints,
    data,
    indexes,
    names,
    partitions,
    style,
    tables,
    transactions,
)

__all__ = [
    "added_columns",
    "columns",
    "constraints",
    "data",
    "indexes",
    "names",
    "partitions",
    "style",
    "tables",
    "transactions",
]
