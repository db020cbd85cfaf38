"""What is tried again, how often, and after which pause."""

from __future__ import annotations

from sqlmigrations.runner import retries


def test_pauses_grow_to_a_limit_and_vary() -> None:
    first, longest = retries.BACKOFF
    for number, limit in ((1, first), (2, first * 2), (4, first * 8), (12, longest), (900, longest)):
        drawn = [retries.pause(number) for _ in range(50)]
        assert all(0 <= seconds <= limit for seconds in drawn)
        assert len(set(drawn)) > 1
