"""Reads the numbers of this moment from a database; changes nothing in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlmigrations.health.base import Probe
from sqlmigrations.health.cumulative.window import window_file
from sqlmigrations.health.measures import MULTIXACTS, Measures
from sqlmigrations.health.structural.sequences import last_values

Row = Mapping[str, Any]


def measure(probe: Probe) -> Measures:
    """Return the numbers of this moment.

    Raises:
        psycopg.Error: something can't be read; a lock or a timeout was in the way.
    """
    row = probe.row("measured_server")
    window = probe.row(window_file(probe))
    return Measures(
        at=row["at"],
        place=row["place"],
        started_at=row["started_at"],
        counting_since=window["since"],
        transaction_ids=row["transaction_ids"],
        multixacts=row["multixacts"] % MULTIXACTS,
        transaction_age=row["transaction_age"],
        multixact_age=row["multixact_age"],
        bytes=probe.row("database_size")["bytes"],
        sequences=_sequences(probe),
        tables=_by_schema(probe.rows("measured_tables"), "bytes", "rows", "scans", "index_scans"),
        indexes=_by_schema(probe.rows("measured_indexes"), "bytes", "scans"),
        matviews=_by_schema(probe.rows("matview_stale"), "refreshed_by", "changes"),
    )


def place_of(probe: Probe) -> Row:
    """Return where and when this is: the columns ``at``, ``place``, and ``since`` of the counters."""
    return {**probe.row("measured_server"), **probe.row(window_file(probe))}


def _sequences(probe: Probe) -> dict[str, dict[str, Any]]:
    readable = [row for row in probe.rows("sequence_exhaustion") if row["is_readable"]]
    values = last_values(probe, {row["sequence"]: (row["schema"], row["name"]) for row in readable})
    found: dict[str, dict[str, Any]] = {}
    for row in readable:
        last = values.get(row["sequence"])
        if last is not None and not row["starts_again"]:
            found.setdefault(row["schema"], {})[row["name"]] = [last, int(row["limit"])]
    return found


def _by_schema(rows: Iterable[Row], *columns: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        found.setdefault(row["schema"], {})[row["name"]] = [row[column] for column in columns]
    return found
