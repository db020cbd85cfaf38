"""The file that a person means."""

from __future__ import annotations

import pytest

from sqlmigrations.exceptions import UnknownFile
from sqlmigrations.files.kinds import Kind
from sqlmigrations.files.lookup import resolve
from sqlmigrations.files.recorded import RecordedFile

FILES = [
    RecordedFile(name, name, kind=kind)
    for kind, names in {
        Kind.VERSIONED: ("001_users.sql", "002_posts.sql", "002_posts_index.sql"),
        Kind.REPEATABLE: ("repeatable/users.sql",),
        Kind.SEED: ("seed/users.sql", "seed/test_data.sql"),
    }.items()
    for name in names
]


@pytest.mark.parametrize(
    ("given", "kind", "expected"),
    [
        ("001_users.sql", None, "001_users.sql"),
        ("001_users", None, "001_users.sql"),
        ("001", None, "001_users.sql"),
        ("002_posts", None, "002_posts.sql"),  # the exact name wins over the one that only begins so
        ("002_posts_", None, "002_posts_index.sql"),
        ("repeatable/users", None, "repeatable/users.sql"),
        ("repeatable/", None, "repeatable/users.sql"),
        ("users", Kind.SEED, "seed/users.sql"),
        ("test_data", Kind.SEED, "seed/test_data.sql"),
        ("test", None, "seed/test_data.sql"),
    ],
)
def test_a_name_or_a_beginning_finds_its_file(given: str, kind: Kind | None, expected: str) -> None:
    assert resolve(given, FILES, kind=kind).name == expected


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        ("002", None, "Several files begin with '002': 002_posts.sql, 002_posts_index.sql."),
        ("users", None, "Several files begin with 'users': repeatable/users.sql, seed/users.sql."),
        ("", None, "No SQL file is called ''.\n  See the names with: applysql --list"),
        ("", Kind.SEED, "No seed file is called ''.\n  See the names with: applysql --list"),
        ("posts", None, "No SQL file is called 'posts'.\n  See the names with: applysql --list"),
        ("001_users", Kind.SEED, "No seed file is called '001_users'.\n  See the names with: applysql --list"),
    ],
)
def test_a_name_that_is_not_one_files_is_told(given: str, kind: Kind | None, message: str) -> None:
    with pytest.raises(UnknownFile) as caught:
        resolve(given, FILES, kind=kind)
    assert str(caught.value) == message
