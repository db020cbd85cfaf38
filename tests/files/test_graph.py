"""The order between files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlmigrations.exceptions import InvalidFiles, Problem
from sqlmigrations.files.graph import arrange, order, required, required_migrations, unknown
from sqlmigrations.files.kinds import Kind
from sqlmigrations.files.recorded import RecordedFile
from sqlmigrations.files.scripts import SQLFile


def file(name: str, *requires: str, kind: Kind = Kind.VERSIONED, folder: str = "") -> SQLFile:
    """Make a file that stands on no disk."""
    text = f"-- sqlmigrations: requires {', '.join(requires)}\n" if requires else ""
    return RecordedFile(name, name, kind=kind, folder=folder, text=text)


def names(*files: SQLFile) -> list[str]:
    return [found.name for found in arrange(files)]


def test_nothing_required() -> None:
    """The files stay in the order in which they were found."""
    assert names(file("2.sql"), file("1.sql"), file("b/1.sql", folder="b"), file("r.sql", kind=Kind.REPEATABLE)) == [
        "2.sql",
        "1.sql",
        "b/1.sql",
        "r.sql",
    ]


def test_a_file_of_another_folder() -> None:
    """What a file requires comes before it, and takes along what stands before it in its own folder."""
    assert names(
        file("1.sql"),
        file("2.sql", "b/2.sql"),
        file("3.sql"),
        file("b/1.sql", folder="b"),
        file("b/2.sql", folder="b"),
        file("b/3.sql", folder="b"),
    ) == ["1.sql", "b/1.sql", "b/2.sql", "2.sql", "3.sql", "b/3.sql"]


def test_repeatables() -> None:
    """They come after all versioned files, and among themselves as they require each other."""
    repeatables = [
        file("r/a.sql", "r/c.sql", kind=Kind.REPEATABLE),
        file("r/b.sql", kind=Kind.REPEATABLE),
        file("r/c.sql", "r/d.sql", kind=Kind.REPEATABLE),
        file("r/d.sql", kind=Kind.REPEATABLE),
    ]
    assert names(*repeatables, file("1.sql"), file("b/1.sql", folder="b")) == [
        "1.sql", "b/1.sql", "r/b.sql", "r/d.sql", "r/c.sql", "r/a.sql",
    ]  # fmt: skip


def test_seeds() -> None:
    """They come last, and may require anything."""
    files = [file("s.sql", "s2.sql", kind=Kind.SEED), file("s2.sql", kind=Kind.SEED), file("1.sql")]
    assert names(files[2], *files[:2]) == ["1.sql", "s2.sql", "s.sql"]


HINT = "Each runs after the one behind its arrow: remove a 'requires', or rename a file."


@pytest.mark.parametrize(
    ("files", "path"),
    [
        ([file("1.sql", "1.sql")], "1.sql -> 1.sql"),
        ([file("1.sql", "2.sql"), file("2.sql")], "1.sql -> 2.sql -> 1.sql"),
        (
            [file("0.sql"), file("1.sql", "b/1.sql"), file("2.sql"), file("b/1.sql", "c/1.sql", folder="b"),
             file("c/1.sql", "2.sql", folder="c")],
            "1.sql -> b/1.sql -> c/1.sql -> 2.sql -> 1.sql",
        ),
        ([file("1.sql", "r.sql"), file("r.sql", kind=Kind.REPEATABLE)], "1.sql -> r.sql -> 1.sql"),
        (
            [file("r.sql", "q.sql", kind=Kind.REPEATABLE), file("q.sql", "r.sql", kind=Kind.REPEATABLE)],
            "r.sql -> q.sql -> r.sql",
        ),
    ],
)  # fmt: skip
def test_circles(files: list[SQLFile], path: str) -> None:
    """They are refused, and the whole way round is told."""
    with pytest.raises(InvalidFiles) as raised:
        arrange(files)
    assert raised.value.problems == [Problem(f"these files wait for each other: {path}", path.split(" ")[0], hint=HINT)]


def test_names_that_no_file_has() -> None:
    """Each is told, with a name that may be meant."""
    files = [
        file("001_users.sql"),
        file("002.sql", "001_user.sql", "x"),
        file("3.sql", "django:blog", "django:b.0001_a"),
    ]
    with pytest.raises(InvalidFiles) as raised:
        arrange(files, django_migrations=lambda label, name: False)
    assert (
        raised.value.problems
        == unknown(files, lambda label, name: False)
        == [
            Problem(
                "requires 001_user.sql, which no SQL file is called", "002.sql", hint="Did you mean 001_users.sql?"
            ),
            Problem(
                "requires x, which no SQL file is called",
                "002.sql",
                hint="Names are paths below the folder, with .sql at the end.",
            ),
            Problem(
                "requires django:blog, which names no migration",
                "3.sql",
                hint="Write django:, the app's label, a dot and the migration's name: django:blog.0003_author",
            ),
            Problem(
                "requires the Django migration b.0001_a, which does not exist",
                "3.sql",
                hint="Look at: manage.py showmigrations b",
            ),
        ]
    )


def test_django_migrations() -> None:
    """They are asked for by label and name, and are no edge between files."""
    asked: list[tuple[str, str]] = []

    def exists(label: str, name: str) -> bool:
        asked.append((label, name))
        return True

    one = file("1.sql", "django:blog.0003_a", "2.sql")
    arrange([file("2.sql"), one], django_migrations=exists)
    assert asked == [("blog", "0003_a")]
    assert required(one) == ("2.sql",)
    assert required_migrations(one) == (("blog", "0003_a"),)


def test_order() -> None:
    """A file comes after the one before it in its folder and what it requires; repeatables after the last ones."""
    edges = order(
        [file("1.sql"), file("2.sql"), file("b/1.sql", "2.sql", folder="b"), file("r.sql", kind=Kind.REPEATABLE)]
    )
    assert edges == {
        "1.sql": frozenset(),
        "2.sql": frozenset({"1.sql"}),
        "b/1.sql": frozenset({"2.sql"}),
        "r.sql": frozenset({"2.sql", "b/1.sql"}),
    }


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30)), min_size=1, max_size=30))
def test_any_files(drawn: list[tuple[int, int]]) -> None:
    """Every file comes after what it requires; files that require nothing don't move."""
    files = [
        file(f"{index:02}.sql", *([f"{index - back:02}.sql"] if 0 < back <= index else []), folder=str(folder))
        for index, (folder, back) in enumerate(drawn)
    ]
    arranged = names(*files)
    edges = order(files)
    assert sorted(arranged) == [made.name for made in files]
    for name, earlier in edges.items():
        assert all(arranged.index(other) < arranged.index(name) for other in earlier)
    assert arranged == [made.name for made in files]


def test_very_many_files() -> None:
    """Ten thousand in one folder are arranged at once, not in the square of the time."""
    files = [file(f"{number:05}.sql") for number in range(10_000)]
    assert arrange(files) == tuple(files)
    repeatables = [file(f"r/{number:05}.sql", kind=Kind.REPEATABLE) for number in range(5_000)]
    assert arrange([*repeatables, *files]) == (*files, *repeatables)
