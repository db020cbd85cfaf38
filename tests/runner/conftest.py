"""What tests of runs have in common."""

from __future__ import annotations

import pytest

from sqlmigrations.runner import executor


@pytest.fixture
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Try again at once; return the list of the pauses that were asked for."""
    asked: list[int] = []

    def pause(number: int) -> float:
        asked.append(number)
        return 0.0

    monkeypatch.setattr(executor, "pause", pause)
    return asked
