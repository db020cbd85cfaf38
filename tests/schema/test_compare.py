"""What the comparison tells where more than one thing differs, and how it pairs what has other names. Pure."""

from __future__ import annotations

import pytest

from sqlmigrations.schema.catalog import Attributes, Catalog, Identity
from sqlmigrations.schema.compare import compare
from sqlmigrations.schema.difference import Source

Objects = dict[tuple[str, str], Attributes]


def differences(expected: Objects, found: Objects) -> list[tuple[str, str, str, str]]:
    """Return the differences of two catalogs: object, attribute, and what was expected and found."""
    both = [Catalog({Identity(*key): attributes for key, attributes in side.items()}) for side in (expected, found)]
    told = compare(both[0], both[1], source=Source.SNAPSHOT)
    return [(str(Identity(one.kind, one.object)), one.attribute, one.expected, one.found) for one in told]


@pytest.mark.parametrize(
    ("kind", "expected", "found", "attributes"),
    [
        (
            "materialized view",
            {"definition": "a"},
            {"definition": "b", "populated": False},
            ["definition", "populated"],
        ),
        ("view", {"definition": "a", "options": ("x=1",)}, {"definition": "b"}, ["definition", "options"]),
        (
            "trigger",
            {"definition": "a", "state": "enabled"},
            {"definition": "b", "state": "disabled"},
            ["definition", "state"],
        ),
        ("index", {"definition": "a"}, {"definition": "b", "clustered": True}, ["clustered", "definition"]),
        ("index", {"definition": "a", "options": ("x=1",)}, {"definition": "b"}, ["options"]),
        ("constraint", {"definition": "a"}, {"definition": "b", "validated": False}, ["validated"]),
        (
            "column",
            {"table": "s.t", "identity": "ALWAYS", "identity_sequence": "increment 1"},
            {"table": "s.t", "identity": "BY DEFAULT", "identity_sequence": "increment 7"},
            ["identity", "identity_sequence"],
        ),
        (
            "column",
            {"table": "s.t", "identity": "ALWAYS", "identity_sequence": "increment 1"},
            {"table": "s.t"},
            ["identity"],
        ),
    ],
)
def test_what_a_definition_repeats_is_told_once(
    kind: str, expected: Attributes, found: Attributes, attributes: list[str]
) -> None:
    """What it doesn't repeat is told beside it."""
    told = differences({(kind, "s.o"): expected}, {(kind, "s.o"): found})
    assert [attribute for _object, attribute, *_values in told] == attributes


def test_a_table_is_rather_renamed_than_moved() -> None:
    """Of two new tables with its structure, that in its schema is the one that was renamed."""
    table: Attributes = {"owner": "me"}
    told = differences({("table", "s.old"): table}, {("table", "public.extra"): table, ("table", "s.new"): table})
    assert told == [
        ("table public.extra", "presence", "absent", "present"),
        ("table s.old", "name", "old", "new"),
    ]
    moved = differences({("table", "s.old"): table}, {("table", "t.old"): table})
    assert moved == [("table s.old", "name", "s.old", "t.old")]
