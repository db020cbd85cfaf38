"""What a server, a database and a role can do, asked of the catalog in one query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmigrations.database import Connection, fetch_dicts
from sqlmigrations.queries import query


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What can be asked. ``columns`` are those of the system's views and tables, and of pg_stat_statements' views."""

    server_version: int
    role: str
    is_standby: bool
    is_superuser: bool
    #: Installed extensions: their schema and version.
    extensions: Mapping[str, Sequence[str]]
    columns: frozenset[str]

    def has(self, name: str) -> bool:
        """Say whether there is a system view, or ``view.column``, of this name."""
        if "." in name:
            return name in self.columns
        return any(column.startswith(f"{name}.") for column in self.columns)


def probe_capabilities(connection: Connection) -> Capabilities:
    """Ask the catalog what can be asked."""
    row: dict[str, Any] = fetch_dicts(connection, query("health/sql/capabilities.sql"))[0]
    return Capabilities(**row | {"columns": frozenset(row["columns"])})
