"""A chain whose author and times are known."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from sqlmigrations.history import (
    GENESIS,
    Chain,
    Clock,
    Identity,
    Tables,
)

WHEN = datetime(2026, 3, 29, 1, 59, 59, 123456, tzinfo=UTC)
RUN = uuid.UUID("12345678-1234-5678-1234-567812345678")
IDENTITY = Identity("alice", "al", "host (10.0.0.1)", "tests", 42, WHEN, "18.6", "abc123")


def make_chain(head: str = GENESIS) -> Chain:
    return Chain(Tables("public"), head, RUN, IDENTITY, Clock(WHEN, 0.0))
