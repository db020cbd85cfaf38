"""Reads and writes the history: a record for each file, and a chain of events.

Everything is written by SQL composed with the schema that was found at the start, never by the ORM: a file may change
``search_path``, and the ORM can't qualify names. Kept reports and health runs, which few commands need, are
imported from their own modules.
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
    read_beginning,
    read_events,
    read_head,
    read_head_of_settled,
    read_reverted_with,
    verify_chain,
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
    look_statement,
    read_all_texts,
    read_missing,
    read_objects_made,
    read_record,
    read_records,
    read_records_of,
    read_texts,
    record_in,
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
    "Link",
    "Location",
    "Record",
    "Tables",
    "Texts",
    "change_record",
    "digest",
    "ensure_tables",
    "holds_event",
    "identify",
    "knows_head",
    "locate",
    "look_statement",
    "read_all_texts",
    "read_beginning",
    "read_events",
    "read_head",
    "read_head_of_settled",
    "read_missing",
    "read_objects_made",
    "read_record",
    "read_records",
    "read_records_of",
    "read_reverted_with",
    "read_texts",
    "record_in",
    "record_statement",
    "remove_record",
    "revision",
    "verify_chain",
    "write_record",
]
