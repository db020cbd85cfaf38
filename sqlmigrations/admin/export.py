"""The events as a file: CSV for a spreadsheet, JSON lines for a program, both streamed in the chain's order."""

from __future__ import annotations

import csv
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlmigrations.models import MigrationEvent

#: The columns of the CSV; a message stands for the details, which JSON lines have whole.
COLUMNS = (
    "id",
    "at",
    "type",
    "filename",
    "run",
    "duration_ms",
    "role",
    "os_user",
    "host",
    "application_name",
    "tool",
    "server",
    "revision",
    "checksum",
    "sqlstate",
    "line",
    "previous_hash",
    "hash",
)

#: What makes a spreadsheet take a cell for a formula: https://owasp.org/www-community/attacks/CSV_Injection
FORMULAS = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    """Gives back what ``csv`` writes, line by line."""

    def write(self, text: str) -> str:
        return text


def csv_lines(events: Iterable[MigrationEvent]) -> Iterator[str]:
    """Yield a header and a line for each event; no cell is a formula."""
    write = csv.writer(_Echo()).writerow
    yield write([*COLUMNS, "message"])
    for event in events:
        values = [_plain(getattr(event, column)) for column in COLUMNS]
        yield write([_harmless(value) for value in (*values, event.message)])


def json_lines(events: Iterable[MigrationEvent]) -> Iterator[str]:
    """Yield a JSON object for each event, with all that its hash is made of."""
    columns = [field.attname for field in MigrationEvent._meta.concrete_fields]
    for event in events:
        values = {column: getattr(event, column) for column in columns}
        yield json.dumps(values, default=_plain, ensure_ascii=False) + "\n"


#: What writes each format, and its content type.
FORMATS: Mapping[str, tuple[Callable[[Iterable[MigrationEvent]], Iterator[str]], str]] = {
    "csv": (csv_lines, "text/csv; charset=utf-8"),
    "jsonl": (json_lines, "application/jsonl; charset=utf-8"),
}


def _harmless(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula: an apostrophe in front makes it text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULAS) else value


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case uuid.UUID():
            return str(value)
    return value
