"""Tests of the round trip: up, down and up again."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper

from sqlmigrations.schema.difference import Findings
from sqlmigrations.service.gather import read_disk
from sqlmigrations.service.roundtrip import compare_roundtrip
from tests.helpers import catalog, put, rows


def short(findings: Findings) -> list[tuple[str, ...]]:
    return [(d.severity, d.kind, d.object, d.attribute, d.expected, d.found) for d in findings.differences]


def test_the_example_goes_up_down_and_up(live: BaseDatabaseWrapper, example: None) -> None:
    before = catalog()
    findings = compare_roundtrip(live, read_disk("default"))
    assert short(findings) == []
    assert findings.examined == {"round trip": 20}
    assert catalog() == before


@pytest.mark.parametrize(
    ("down", "differences"),
    [
        ("DROP VIEW v; DROP TABLE b;", []),
        ("DROP VIEW v;", [
            ("error", "file", "002_b.down.sql", "down script", "complete",
             "table public.b is present"),
            ("error", "file", "002_b.sql", "second run", "possible",
             '002_b.sql:1: relation "b" already exists'),
        ]),
        ("DROP VIEW v; DROP TABLE b, a; CREATE TABLE a (id bigint PRIMARY KEY);", [
            ("error", "file", "002_b.down.sql", "down script", "complete",
             "column public.a.id has other type"),
        ]),
        ("DROP TABLE nothing;", [
            ("error", "file", "002_b.down.sql", "down script", "possible to run",
             '002_b.down.sql:1: table "nothing" does not exist'),
        ]),
    ],
)  # fmt: skip
def test_round_trips(live: BaseDatabaseWrapper, folder: Path, down: str, differences: list[tuple[str, ...]]) -> None:
    put(
        folder,
        {
            "001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);",
            "002_b.sql": "CREATE TABLE b (id int REFERENCES a); CREATE VIEW v AS SELECT id FROM b;",
            "002_b.down.sql": down,
        },
    )
    assert short(compare_roundtrip(live, read_disk("default"))) == differences
    assert rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []
