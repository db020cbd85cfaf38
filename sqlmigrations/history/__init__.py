"""Reads and writes the history: a record for each file, and a chain of events.

Everything is written by SQL composed with the schema that was found at the start, never by the ORM: a file may change
``search_path``, and the ORM can't qualify names.
"""

from __future__ import annotations

from sqlmigrations.history.chain import (
    CHAIN_CONSTRAINT,
    GENESIS,
    Chain,
    ChainReport,
    Event,
    Link,
    digest,
    holds_event,
    knows_head,
    read_events,
    read_head,
    read_head_of_settled,
    read_reverted_with,
    verify_chain,
)
from sqlmigrations.history.health_runs import (
    KeptRun,
    add_health_run,
    count_health_runs,
    has_health_runs,
    prune_health_runs,
    read_file_times,
    read_oldest_run,
)
from sqlmigrations.history.identity import (
    Clock,
    Identity,
    identify,
    revision,
)
from sqlmigrations.history.records import (
    HELD_STATES,
    Record,
    Texts,
    change_record,
    read_all_texts,
    read_missing,
    read_objects_made,
    read_record,
    read_record_after,
    read_records,
    read_records_of,
    read_texts,
    record_statement,
    remove_record,
    write_record,
)
from sqlmigrations.history.tables import (
    Location,
    Tables,
    ensure_tables,
    locate,
)

__all__ = [
    "CHAIN_CONSTRAINT",
    "GENESIS",
    "HELD_STATES",
    "Chain",
    "ChainReport",
    "Clock",
    "Event",
    "Identity",
    "KeptRun",
    "Link",
    "Location",
    "Record",
    "Tables",
    "Texts",
    "add_health_run",
    "change_record",
    "count_health_runs",
    "digest",
    "ensure_tables",
    "has_health_runs",
    "holds_event",
    "identify",
    "knows_head",
    "locate",
    "prune_health_runs",
    "read_all_texts",
    "read_events",
    "read_file_times",
    "read_head",
    "read_head_of_settled",
    "read_missing",
    "read_objects_made",
    "read_oldest_run",
    "read_record",
    "read_record_after",
    "read_records",
    "read_records_of",
    "read_reverted_with",
    "read_texts",
    "record_statement",
    "remove_record",
    "revision",
    "verify_chain",
    "write_record",
]
