"""Names who made each difference, where the DDL log has seen it."""

from __future__ import annotations

from collections.abc import Iterable

from sqlmigrations.database import Connection
from sqlmigrations.history import Tables
from sqlmigrations.schema import ddl_log
from sqlmigrations.schema.attribution import attribute, names_of, plain_part
from sqlmigrations.schema.difference import Difference


def with_authors(
    connection: Connection, tables: Tables | None, differences: Iterable[Difference]
) -> tuple[Difference, ...]:
    """Return the differences, each with the change that made it where the log has one."""
    found = tuple(differences)
    if not found or tables is None or not ddl_log.has_log(connection, tables):
        return found
    names = sorted({name for difference in found for name in names_of(difference)})
    changes = ddl_log.read_changes_of(connection, tables, names, sorted({plain_part(name) for name in names}))
    return attribute(found, changes)
