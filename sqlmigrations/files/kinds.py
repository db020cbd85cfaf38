"""The kinds of SQL files."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """When a file runs: once, again when its text changes, or only when asked for by name."""

    VERSIONED = "versioned"
    REPEATABLE = "repeatable"
    SEED = "seed"
