"""Tests of how statements of others are shown."""

from __future__ import annotations

import pytest

from sqlmigrations.health.texts import shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT 1", "SELECT 1"),
        ("SELECT *\n  FROM orders\n", "SELECT * FROM orders"),
        ("ALTER ROLE app PASSWORD 'secret'", "ALTER ROLE app PASSWORD '********'"),
        ("SELECT 1; ALTER ROLE app PASSWORD 'secret';", "SELECT 1; ALTER ROLE app PASSWORD '********';"),
        ("SELECT dblink('postgres://app:secret@db/x')", "SELECT dblink('postgres://app:********@db/x')"),
        ("ALTER ROLE app PASSWORD 'secr", "(not shown: it is cut off, and may hold a password)"),
        ("SELECT 'cut o", "SELECT 'cut o"),
        ("x" * 501, "x" * 500 + " ..."),
    ],
)
def test_shown(text: str, expected: str) -> None:
    assert shown(text) == expected
