"""Files that change rows: what they carry over, and what their way back brings back."""

from __future__ import annotations

import json

import psycopg
import pytest
from django.db import DatabaseError

from .scripts import VERSIONED, Client, down, query

SLUGS = "017_add_campaign_slugs.sql"
URGENT = "025_add_urgent_priority.sql"
EMAIL = "028_replace_username_with_email.sql"

USERS = "SELECT username, properties, created_at, updated_at FROM users ORDER BY username"


def before(name: str) -> list[str]:
    """Return the versioned files that come before one."""
    return VERSIONED[: VERSIONED.index(name)]


def add_user(username: str, properties: str, created_at: str) -> None:
    """Insert a user of the time when users had names."""
    query(
        "INSERT INTO users (username, display_name, properties, created_at, updated_at) VALUES (%s, 'X', %s, %s, %s)",
        username,
        properties,
        created_at,
        created_at,
    )


@pytest.fixture
def named_users(empty: Client) -> Client:
    """Return a database as it was before e-mail addresses, with users in it."""
    empty.run_all(before(EMAIL))
    add_user("ann", '{"email": "Ann@example.com", "theme": "dark"}', "2025-01-01")
    add_user("second_ann", '{"email": "ann@EXAMPLE.com"}', "2025-01-02")
    add_user("bob", "{}", "2025-01-03")
    add_user("cleo", '{"email": "not an address"}', "2025-01-04")
    add_user("dora", '{"email": "ann@users.invalid"}', "2025-01-05")
    add_user("emil", '{"email": null}', "2025-01-06")
    return empty


def users() -> list[tuple[str, dict[str, object]]]:
    """Return the addresses and properties of users, in the order in which they joined."""
    rows = query("SELECT email, properties FROM users ORDER BY created_at")
    return [(email, json.loads(properties)) for email, properties in rows]


def test_users_get_the_address_that_they_gave(named_users: Client) -> None:
    named_users.run(EMAIL)
    assert users() == [
        ("Ann@example.com", {"theme": "dark"}),
        ("second_ann@users.invalid", {"email": "ann@EXAMPLE.com"}),
        ("bob@users.invalid", {}),
        ("cleo@users.invalid", {"email": "not an address"}),
        ("dora@users.invalid", {"email": "ann@users.invalid"}),
        ("emil@users.invalid", {"email": None}),
    ]


def test_user_names_come_back(named_users: Client) -> None:
    then = query(USERS)
    named_users.run(EMAIL)
    named_users.run(down(EMAIL))
    assert query(USERS) == then
    named_users.run(EMAIL)
    named_users.run(down(EMAIL))
    assert query(USERS) == then


def test_whoever_joined_since_gets_a_user_name(named_users: Client) -> None:
    named_users.run(EMAIL)
    [(key,)] = query("INSERT INTO users (display_name, email) VALUES ('New', 'new@example.com') RETURNING id")
    query("UPDATE users SET email = 'bob@example.com' WHERE email = 'bob@users.invalid'")
    named_users.run(down(EMAIL))
    assert query("SELECT username, properties ->> 'email' FROM users WHERE username ~ '^(bob|user_)' ORDER BY 1") == [
        ("bob", "bob@example.com"),
        (f"user_{key.hex}", "new@example.com"),
    ]


def test_the_index_behind_the_constraint_cannot_be_dropped_itself(named_users: Client) -> None:
    """Why the file drops the constraint."""
    with pytest.raises(DatabaseError) as caught:
        query("DROP INDEX users_username_key")
    assert isinstance(caught.value.__cause__, psycopg.errors.DependentObjectsStillExist)


def test_slugs_are_made_of_names(empty: Client) -> None:
    empty.run_all(before(SLUGS))
    query("INSERT INTO users (username, display_name) VALUES ('mira', 'Mira')")
    names = ["The Amber Keep", "  the amber--keep! ", "Éowyn's Ride", "龍", "Campaign"]
    for number, name in enumerate(names, start=1):
        query(
            "INSERT INTO campaigns (id, game_master_id, name, updated_at) SELECT %s, id, %s, '2025-01-01' FROM users",
            f"{number}0000000-0000-4000-8000-000000000000",
            name,
        )
    empty.run(SLUGS)
    assert query("SELECT slug FROM campaigns ORDER BY id") == [
        ("the-amber-keep-10000000",),
        ("the-amber-keep-20000000",),
        ("owyn-s-ride",),
        ("campaign-40000000",),
        ("campaign-50000000",),
    ]
    assert query("SELECT count(*) FROM campaigns WHERE updated_at <> '2025-01-01'") == [(0,)]
    empty.run_all(VERSIONED[VERSIONED.index(SLUGS) + 1 :])


def test_urgent_quests_become_high_ones(seeded: Client) -> None:
    seeded.run(down(EMAIL))
    seeded.run(down(URGENT))
    assert query("SELECT priority::text, title FROM quests ORDER BY quests.priority, title") == [
        ("low", "The missing horse"),
        ("high", "Find a way out"),
        ("high", "Wind the great clock"),
    ]
