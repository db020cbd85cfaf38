"""What a run tells of a statement that runs in batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlmigrations.runner.batch_position import Position


@dataclass(frozen=True, slots=True)
class Moved:
    """A batch is committed, or waits for replicas that are ``behind_s`` seconds behind."""

    name: str
    position: Position
    behind_s: float = 0.0
