from __future__ import annotations

import pytest
from django.utils.translation import override

from sqlmigrations.output.durations import duration


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (0, "0.0 ms"),
        (0.04, "0.0 ms"),
        (0.06, "0.1 ms"),
        (3.449, "3.4 ms"),
        (9.49, "9.5 ms"),
        (9.96, "10 ms"),
        (12.3, "12 ms"),
        (999.4, "999 ms"),
        (999.6, "1.0 s"),
        (3_449, "3.4 s"),
        (59_949, "59.9 s"),
        (59_950, "1 min 0 s"),
        (125_400, "2 min 5 s"),
        (3_599_600, "1 h 0 min"),
        (3_720_000, "1 h 2 min"),
        (90_000_000, "25 h 0 min"),
    ],
)
def test_durations_are_worded_for_people(milliseconds: float, words: str) -> None:
    assert duration(milliseconds) == words


def test_durations_follow_the_language() -> None:
    with override("de"):
        assert [duration(3.4), duration(3_400), duration(125_000)] == ["3,4 ms", "3,4 s", "2 min 5 s"]
