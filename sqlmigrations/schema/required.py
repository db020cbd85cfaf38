"""Tables and columns that the settings say must exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlmigrations.database import Connection, fetch_all
from sqlmigrations.messages import gettext as _
from sqlmigrations.queries import query
from sqlmigrations.schema.difference import Difference, Source
from sqlmigrations.severity import Severity


def compare_required(connection: Connection, required: Mapping[str, Sequence[str]]) -> list[Difference]:
    """Return what is missing of ``required``: ``{"users": ["id", "email"], "billing.invoices": []}``."""
    wanted = [(name, *_split(name), column) for name, columns in required.items() for column in (columns or [""])]
    if not wanted:
        return []
    names, schemas, tables, columns = (list(part) for part in zip(*wanted, strict=True))
    parameters = {"names": names, "schemas": schemas, "tables": tables, "columns": columns}
    return list(_missing(fetch_all(connection, query("schema/sql/required_columns.sql"), parameters)))


def _split(name: str) -> tuple[str, str]:
    """Split a name as written in the settings into schema (may be empty) and table."""
    schema, _, table = name.rpartition(".")
    return schema, table


def _missing(rows: Sequence[tuple[str, bool, str, bool]]) -> Iterator[Difference]:
    told: set[str] = set()
    for name, has_table, column, has_column in rows:
        if not has_table:
            if name not in told:
                told.add(name)
                yield _absent("table", name)
        elif column and not has_column:
            yield _absent("column", f"{name}.{column}")


def _absent(kind: str, name: str) -> Difference:
    return Difference(Source.REQUIRED, kind, name, "presence", _("present"), _("absent"), Severity.ERROR)
