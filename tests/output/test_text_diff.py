from __future__ import annotations

import pytest

from sqlmigrations.output.text_diff import MAX_LINES, MAX_ROWS, Row, SideBySide, side_by_side


@pytest.mark.parametrize(
    ("one", "other", "rows"),
    [
        ("a\nb\n", "a\nb\n", ()),
        ("a\r\nb\r\n", "a\nb", ()),
        ("a\nb\n", "a\nc\n", (Row("same", 1, "a", 1, "a"), Row("changed", 2, "b", 2, "c"))),
        ("a\n", "a\nb\n", (Row("same", 1, "a", 1, "a"), Row("added", None, "", 2, "b"))),
        ("a\nb\n", "b\n", (Row("removed", 1, "a", None, ""), Row("same", 2, "b", 1, "b"))),
        ("", "a\n", (Row("added", None, "", 1, "a"),)),
        (
            "1\n2\n3\n4\n5\nx\n6\n7\n8\n9\n",
            "1\n2\n3\n4\n5\ny\n6\n7\n8\n9\n",
            (
                Row("gap"),
                *(Row("same", number, str(number), number, str(number)) for number in (3, 4, 5)),
                Row("changed", 6, "x", 6, "y"),
                *(Row("same", number + 1, str(number), number + 1, str(number)) for number in (6, 7, 8)),
                Row("gap"),
            ),
        ),
    ],
)
def test_two_texts_side_by_side(one: str, other: str, rows: tuple[Row, ...]) -> None:
    assert side_by_side(one, other) == SideBySide(rows)


def test_what_is_too_long_is_not_compared() -> None:
    assert side_by_side("a\n" * (MAX_LINES + 1), "a\n") == SideBySide(is_too_long=True)


def test_what_is_too_much_for_a_page_is_cut() -> None:
    compared = side_by_side("", "a\n" * (MAX_ROWS + 1))

    assert (len(compared.rows), compared.is_cut) == (MAX_ROWS, True)
