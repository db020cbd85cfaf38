from __future__ import annotations

from sqlmigrations.output.charts import MAX_BARS, Bar, slowest


def test_bars_are_as_long_as_their_share_of_the_longest() -> None:
    timings = [
        {"number": 1, "line": 3, "duration_ms": 10.0},
        {"number": 2, "line": 9, "duration_ms": 40.0},
        {"number": 3, "line": 12, "duration_ms": 0.0},
    ]

    assert slowest(timings) == [Bar(1, 3, 10.0, 25.0), Bar(2, 9, 40.0, 100.0), Bar(3, 12, 0.0, 0.0)]


def test_only_the_slowest_are_drawn_in_the_order_of_the_file() -> None:
    timings = [{"number": number, "line": number, "duration_ms": float(number % 40)} for number in range(1, 101)]

    bars = slowest(timings)

    assert len(bars) == MAX_BARS
    assert [bar.number for bar in bars] == sorted(bar.number for bar in bars)
    assert min(bar.duration_ms for bar in bars) == 30.0


def test_nothing_timed_and_nothing_to_see() -> None:
    assert slowest([]) == []
    assert slowest([{"number": 1, "line": 1, "duration_ms": 0.0}]) == [Bar(1, 1, 0.0, 0.0)]
