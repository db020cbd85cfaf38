"""Names of objects: which can mean the same."""

from __future__ import annotations

import pytest

from sqlmigrations.files.names import beyond_schemas, everything_in, name, path, same


@pytest.mark.parametrize(
    ("parts", "written"),
    [
        (("users",), "users"),
        (("public", "users"), "public.users"),
        (("app", "Big"), "app.Big"),
        (("a.b", "c d"), '"a.b"."c d"'),
        (('x"y',), '"x""y"'),
    ],
)
def test_written(parts: tuple[str, ...], written: str) -> None:
    assert name(*parts) == written


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Users", ("users",)),
        ("Public.Users", ("public", "users")),
        ('"Public"."a.b"', ("Public", "a.b")),
        ("a.b.c", ("a", "b", "c")),
        ("users_id_seq ", ("users_id_seq",)),
        ("f(int)", ("f",)),
        ("", ()),
        ("'x'", ()),
    ],
)
def test_read(text: str, expected: tuple[str, ...]) -> None:
    assert path(text) == expected


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("users", "users", True),
        ("users", "public.users", True),
        ("app.users", "public.users", False),
        ("users", "Users", False),
        ("users", "orders", False),
        ('"a.b"', "b", False),
        ('"a.b"', "a.b", False),
        ('public."a.b"', '"a.b"', True),
        (everything_in("app"), "app.users", True),
        (everything_in("app"), "public.users", False),
        (everything_in("app"), "users", True),
        (everything_in("app"), everything_in("app"), True),
        (everything_in("app"), everything_in("public"), False),
        (everything_in("app"), beyond_schemas("role", "app"), False),
        ("st_*", "st_distance", True),
        ("st_*", "gis.st_distance", True),
        ("st_*", "statistics", False),
        ("cron.*", "cron.schedule", True),
        (beyond_schemas("role", "app"), beyond_schemas("role", "app"), True),
        (beyond_schemas("role", "app"), beyond_schemas("role", "web"), False),
        (beyond_schemas("role", "app"), beyond_schemas("schema", "app"), False),
        (beyond_schemas("role", "app"), "app", False),
    ],
)
def test_same(one: str, other: str, alike: bool) -> None:
    assert same([one], [other]) == (one if alike else None)
    assert same([other], [one]) == (other if alike else None)


def test_the_first_in_order_is_told() -> None:
    assert same(["c", "b", "a"], ["x.c", "b", "y"]) == "b"
    assert same([], ["a"]) is None
