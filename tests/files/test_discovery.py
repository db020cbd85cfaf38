"""Finding the SQL files on disk."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import AppConfig, apps
from pytest_django import Settings

from sqlmigrations.exceptions import Problem, SameNumber
from sqlmigrations.files.discovery import Folder, discover, folders
from sqlmigrations.files.kinds import Kind


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Make an empty folder."""
    path = tmp_path / "sql"
    path.mkdir()
    return path


def fill(folder: Path, *names: str, text: str = "SELECT 1;") -> None:
    """Write files."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def names(folder: Path) -> list[str]:
    return [file.name for file in discover([Folder(folder)]).files]


def test_kinds_order_and_companions(place: Path) -> None:
    """Versioned files come first, by name, then repeatables, then seeds."""
    fill(place, "002_b.sql", "001_a.sql", "001_a.down.sql", "001_a.verify.sql", "seed/test.sql", "repeatable/v.sql")
    fill(
        place,
        "repeatable/v.down.sql",
        "repeatable/sub/w.sql",
        "003/001_c.sql",
        "003/repeatable/d.sql",
        "repeatable.sql",
    )
    found = discover([Folder(place)])
    assert (found.errors, found.warnings, found.mixed_width) == ((), (), None)
    assert [(file.name, file.kind.value) for file in found.files] == [
        ("001_a.sql", "versioned"),
        ("002_b.sql", "versioned"),
        ("003/001_c.sql", "versioned"),
        ("003/repeatable/d.sql", "versioned"),
        ("repeatable.sql", "versioned"),
        ("repeatable/sub/w.sql", "repeatable"),
        ("repeatable/v.sql", "repeatable"),
        ("seed/test.sql", "seed"),
    ]
    first = found.files[0]
    assert first.down is not None
    assert first.verify is not None
    assert (first.path, first.folder) == (place / "001_a.sql", "")
    assert (first.down.name, first.down.path) == ("001_a.down.sql", place / "001_a.down.sql")
    assert (first.verify.name, first.verify.path) == ("001_a.verify.sql", place / "001_a.verify.sql")
    assert (found.files[1].down, found.files[1].verify) == (None, None)


def test_an_app_folder(place: Path, tmp_path: Path) -> None:
    """Names of an app's files begin with its label; its folders come after the project's."""
    other = tmp_path / "app" / "migrations_sql"
    fill(other, "001_x.sql", "repeatable/r.sql")
    fill(place, "002_y.sql", "repeatable/q.sql")
    found = discover([Folder(place), Folder(other, "blog")])
    assert [(file.name, file.folder, file.kind) for file in found.files] == [
        ("002_y.sql", "", Kind.VERSIONED),
        ("blog/001_x.sql", "blog", Kind.VERSIONED),
        ("repeatable/q.sql", "", Kind.REPEATABLE),
        ("blog/repeatable/r.sql", "blog", Kind.REPEATABLE),
    ]


def test_what_is_ignored(place: Path) -> None:
    """Hidden files, editors' leftovers and everything that is not SQL."""
    fill(place, ".001_a.sql", "#001_a.sql#", "001_a.sql~", "001_a.sql.swp", "README.md", ".git/x.sql", "a.sql.bak")
    fill(place, "__pycache__/x.sql", "#002.sql", "001_real.sql")
    (place / "folder.sql").mkdir()
    found = discover([Folder(place)])
    assert [file.name for file in found.files] == ["001_real.sql"]
    assert (found.errors, found.warnings) == ((), ())


def test_names_as_they_are_on_disk(place: Path) -> None:
    """Brackets, quotes, blanks, composed and decomposed letters."""
    written = sorted(
        ["001 [a].sql", "002_'b\".sql", "003_caf\u00e9.sql", "004_cafe\u0301.sql", "005_😀.sql", "006;.sql"]
    )
    fill(place, *written)
    assert names(place) == written


def test_order_by_number(place: Path, settings: Settings) -> None:
    """Leading digits compared as numbers, in each part of the name; without digits last."""
    fill(place, "1_a.sql", "10_b.sql", "2_c.sql", "x.sql", "02_d.sql", "20/1.sql", "3/10_e.sql", "3/9_f.sql")
    settings.SQLMIGRATIONS_ORDER = "number"
    assert names(place) == [
        "1_a.sql", "02_d.sql", "2_c.sql", "3/9_f.sql", "3/10_e.sql", "10_b.sql", "20/1.sql", "x.sql",
    ]  # fmt: skip
    assert discover([Folder(place)]).mixed_width is None


def test_mixed_width(place: Path) -> None:
    """Numbers that sort wrongly by name are reported beside the errors: the caller decides."""
    fill(place, "1_a.sql", "9_b.sql", "10_c.sql")
    found = discover([Folder(place)])
    assert found.errors == ()
    assert found.mixed_width == Problem(
        "numbers of different width sort wrongly by name: 10_c.sql, 1_a.sql",
        "1_a.sql",
        hint='Pad them with zeros, or set SQLMIGRATIONS_ORDER = "number".',
    )


def test_width_is_compared_within_one_folder(place: Path) -> None:
    fill(place, "001_a.sql", "sub/1_a.sql", "sub/2_a.sql", "repeatable/12_x.sql", "repeatable/1_x.sql", "no_number.sql")
    assert discover([Folder(place)]).mixed_width is None


def test_warnings(place: Path) -> None:
    fill(
        place, "001_a.sql", "01_b.sql", "002_c.sql", "002_d.sql", "sub/002_e.sql", "003_x.down.sql", "004_y.verify.sql"
    )
    fill(place, "005_z.SQL", "001_a.down.sql", "001_a.down.verify.sql")
    never_run = "Rename or remove it; it is never run."
    assert set(discover([Folder(place)]).warnings) == {
        SameNumber(
            "several files have number 1: 001_a.sql, 01_b.sql",
            "01_b.sql",
            hint="Renumber one of them.",
            names=("001_a.sql", "01_b.sql"),
        ),
        SameNumber(
            "several files have number 2: 002_c.sql, 002_d.sql",
            "002_d.sql",
            hint="Renumber one of them.",
            names=("002_c.sql", "002_d.sql"),
        ),
        Problem("belongs to 003_x.sql, which does not exist", "003_x.down.sql", hint=never_run),
        Problem("belongs to 004_y.sql, which does not exist", "004_y.verify.sql", hint=never_run),
        Problem("belongs to 001_a.down.sql, which is no file of its own", "001_a.down.verify.sql", hint=never_run),
        Problem("is ignored: its name does not end in .sql", "005_z.SQL", hint="Rename it."),
    }


# Errors


def test_folders_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = discover([Folder(tmp_path / "missing"), Folder(tmp_path / "file")])
    hint = "Make it, or correct SQLMIGRATIONS_DIRS."
    assert found.errors == (
        Problem("the folder does not exist", str(tmp_path / "missing"), hint=hint),
        Problem("the folder is not a folder", str(tmp_path / "file"), hint=hint),
    )


def test_a_folder_that_is_named_twice(place: Path) -> None:
    fill(place, "001_a.sql")
    link = place.parent / "link"
    link.symlink_to(place)
    found = discover([Folder(place), Folder(link)])
    assert found.errors == (Problem("the folder is named twice", str(link), hint="Name it once."),)
    assert len(found.files) == 1


def test_a_name_that_is_there_twice(place: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    fill(place, "001_a.sql")
    fill(other, "001_a.sql")
    assert discover([Folder(place), Folder(other)]).errors == (
        Problem(
            f"two files have this name: {place / '001_a.sql'} and {other / '001_a.sql'}",
            "001_a.sql",
            hint="Rename one of them.",
        ),
    )


def test_a_folder_called_like_an_app(place: Path, tmp_path: Path) -> None:
    other = tmp_path / "app"
    fill(place, "blog/001_a.sql")
    fill(other, "002_b.sql")
    assert discover([Folder(place), Folder(other, "blog")]).errors == (
        Problem(
            "the name is both a folder in SQLMIGRATIONS_DIRS and an app with a migrations_sql folder",
            "blog/",
            hint="Rename the folder: names of the app's files begin with its label.",
        ),
    )


def test_unreadable_directives(place: Path) -> None:
    """In files and in their companions; the files are in the answer all the same."""
    fill(place, "001_a.sql", "001_a.down.sql", text="-- sqlmigrations: retries x")
    (place / "002_b.sql").write_bytes(b"-- caf\xe9")
    (place / "003_c.sql").write_text("/* never closed")
    found = discover([Folder(place)])
    assert {(problem.where, problem.message) for problem in found.errors} == {
        ("001_a.sql:1", "directive 'retries' can't be 'x'"),
        ("001_a.down.sql:1", "directive 'retries' can't be 'x'"),
        ("002_b.sql:1", "not UTF-8: 0xE9 at byte 7"),
        ("003_c.sql:1", "unterminated comment"),
    }
    assert len(found.files) == 3


def test_links(place: Path, tmp_path: Path) -> None:
    """A circle of links ends; a link to nothing, and what is no file at all, are errors."""
    fill(place, "sub/001_a.sql")
    (place / "sub" / "up").symlink_to(place)
    fill(tmp_path, "elsewhere.sql")
    (place / "002_link.sql").symlink_to(tmp_path / "elsewhere.sql")
    (place / "003_broken.sql").symlink_to(tmp_path / "nothing.sql")
    os.mkfifo(place / "004_fifo.sql")
    (place / "005_itself.sql").symlink_to(place / "005_itself.sql")
    (place / "itself").symlink_to(place / "itself")
    found = discover([Folder(place)])
    hint = "Remove it, or mend the link."
    assert [file.name for file in found.files] == ["002_link.sql", "sub/001_a.sql"]
    assert found.errors == (
        Problem("is not a file that can be read", "003_broken.sql", hint=hint),
        Problem("is not a file that can be read", "004_fifo.sql", hint=hint),
        Problem("is not a file that can be read", "005_itself.sql", hint=hint),
    )


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no file names that are not UTF-8")
def test_a_name_that_is_not_utf8(place: Path) -> None:
    (place / os.fsdecode(b"001_caf\xe9.sql")).write_text("")
    assert discover([Folder(place)]).errors == (Problem("the file's name is not UTF-8", f"{place}/001_caf\ufffd.sql"),)


def test_a_name_with_a_control_character(place: Path) -> None:
    """It would break lines, or colour the terminal, wherever the name is printed."""
    fill(place, "001_a\nb.sql", "002_\x1b[31mred.sql", "003_\x9b.sql", "004_no\u00a0break.sql", "sub\rfolder/a.sql")
    found = discover([Folder(place)])
    message = "the file's name holds a line break or another control character"
    assert [file.name for file in found.files] == ["004_no\u00a0break.sql"]
    assert found.errors == tuple(
        Problem(message, shown, hint="Rename it.")
        for shown in (r"'001_a\nb.sql'", r"'002_\x1b[31mred.sql'", r"'003_\x9b.sql'", r"'sub\rfolder/a.sql'")
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_right_to_read(place: Path) -> None:
    fill(place, "closed/001_a.sql", "002_b.sql")
    (place / "closed").chmod(0)
    (place / "002_b.sql").chmod(0)
    try:
        found = discover([Folder(place)])
    finally:
        (place / "closed").chmod(0o700)
    assert {(problem.file, problem.message) for problem in found.errors} == {
        (str(place / "closed"), "the folder can't be read: Permission denied"),
        ("002_b.sql", "can't be read: Permission denied"),
    }


def test_a_folder_that_cant_be_looked_at(place: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a bare error nor silence: the folder of an app is reported like any other."""

    def stat(self: Path, **options: object) -> os.stat_result:
        if self.name == "migrations_sql":
            raise PermissionError(13, "Permission denied", str(self))
        return os.stat(self)

    settings.SQLMIGRATIONS_DIRS = [place / "migrations_sql"]
    monkeypatch.setattr(Path, "stat", stat)
    found = folders()
    assert Folder(place / "migrations_sql") in found
    assert len(found) > 1  # and those of the apps
    assert set(discover(found).errors) == {
        Problem(
            "the folder can't be read: Permission denied", str(folder.path), hint="Look at its owner and its rights."
        )
        for folder in found
    }


# Settings


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[Folder]:
    """Install an app with a folder of SQL files."""
    package = tmp_path / "an_app_with_sql"
    fill(package, "__init__.py", "migrations_sql/001_a.sql", text="")
    monkeypatch.syspath_prepend(tmp_path)
    # Through the fixture: an override_settings ends before it, and what it restores then is the app once more.
    settings.INSTALLED_APPS = ["an_app_with_sql"]
    assert isinstance(apps.get_app_config("an_app_with_sql"), AppConfig)
    yield Folder(package / "migrations_sql", "an_app_with_sql")
    del sys.modules["an_app_with_sql"]


def test_folders_of_a_list(settings: Settings, app: Folder) -> None:
    """A list is for the default database; apps' folders follow."""
    settings.SQLMIGRATIONS_DIRS = ["/a", Path("/b")]
    assert folders("default") == [Folder(Path("/a")), Folder(Path("/b")), app]
    assert folders("other") == [app]


def test_folders_of_a_mapping(settings: Settings, app: Folder) -> None:
    settings.SQLMIGRATIONS_DIRS = {"default": ["/a"], "other": ["/b", "/c"]}
    settings.SQLMIGRATIONS_APP_DIRS = False
    assert folders("default") == [Folder(Path("/a"))]
    assert folders("other") == [Folder(Path("/b")), Folder(Path("/c"))]
    assert folders("third") == []


class OnlyOther:
    """A router that lets the app migrate on ``other`` alone."""

    def allow_migrate(self, db: str, app_label: str, **_hints: object) -> bool:
        return db == "other" or app_label != "an_app_with_sql"


def test_folders_follow_the_routers(settings: Settings, app: Folder) -> None:
    settings.SQLMIGRATIONS_DIRS = []
    settings.DATABASE_ROUTERS = [OnlyOther()]
    assert folders("default") == []
    assert folders("other") == [app]


def test_without_settings(settings: Settings) -> None:
    """Nothing configured is nothing found."""
    del settings.SQLMIGRATIONS_DIRS
    assert discover(folders("default")).files == ()
