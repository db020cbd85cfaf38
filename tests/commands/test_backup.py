"""``--backup``: taken before the first file, remembered with each, and without one nothing runs."""

from __future__ import annotations

import gc
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any

import pytest

from sqlmigrations import programs
from tests.commands.shop import revertsql
from tests.databases import session
from tests.helpers import Ran, Settings, applysql, put, rows, run_sql, states, tables, value

FILES = {"001.sql": "CREATE TABLE t (id int);", "001.down.sql": "DROP TABLE t;", "002.sql": "CREATE TABLE u (id int);"}

MISSING = (
    "CommandError: --backup needs django-dbbackup, which is not among INSTALLED_APPS.\n"
    "  pip install 'sqlmigrations[backup]', add 'dbbackup' to INSTALLED_APPS, and set its storage.\n"
)


#: django-dbbackup leaves closing its files to the garbage collector; those of the fixture's tests are closed by it.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def backups(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Install django-dbbackup, which reads its settings when it is imported; return the folder of its backups."""
    pytest.importorskip("dbbackup", reason="django-dbbackup is not installed: pip install 'sqlmigrations[backup]'")
    folder = tmp_path / "backups"
    folder.mkdir()
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "dbbackup"]
    monkeypatch.setattr("dbbackup.settings.STORAGE_OPTIONS", {"location": str(folder)})
    made: list[SpooledTemporaryFile[bytes]] = []

    def remembered(*args: Any, **kwargs: Any) -> SpooledTemporaryFile[bytes]:
        made.append(SpooledTemporaryFile(*args, **kwargs))  # noqa: SIM115 - closed when the test is over
        return made[-1]

    for module in ("dbbackup.utils.tempfile", "dbbackup.db.base"):
        monkeypatch.setattr(f"{module}.SpooledTemporaryFile", remembered, raising=False)
    yield folder
    for file in made:
        file.close()
    gc.collect()


def server_version() -> int:
    with session() as connection:
        return connection.info.server_version


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".metadata")


def test_a_backup_is_taken_before_the_first_file(fresh_database: str, folder: Path, backups: Path) -> None:
    run_sql("CREATE TABLE before (id int)")
    put(folder, FILES)
    assert applysql("--backup").code == 0
    (name,) = names_in(backups)
    assert rows(
        "SELECT filename, details ->> 'backup' FROM sqlmigrations_migrationevent WHERE type = 'started' ORDER BY id"
    ) == [("001.sql", name), ("002.sql", name)]
    restore = programs.find("pg_restore", server_version())
    listed = subprocess.run([restore, "--list", backups / name], capture_output=True, text=True, check=True).stdout
    assert " TABLE public before " in listed
    assert " TABLE public t " not in listed


def test_a_backup_before_a_revert(fresh_database: str, folder: Path, backups: Path) -> None:
    put(folder, FILES)
    assert applysql().code == 0
    assert revertsql("001", "--backup", "--noinput").code == 0
    (name,) = names_in(backups)
    assert value("SELECT details ->> 'backup' FROM sqlmigrations_migrationevent ORDER BY id DESC OFFSET 1 LIMIT 1") == (
        name
    )


def test_when_nothing_is_pending_none_is_taken(fresh_database: str, folder: Path, backups: Path) -> None:
    put(folder, FILES)
    assert applysql().code == 0
    assert applysql("--backup").code == 0
    assert names_in(backups) == []


def test_without_django_dbbackup_nothing_runs(fresh_database: str, folder: Path) -> None:
    put(folder, FILES)
    assert applysql("--backup") == Ran("", MISSING, 2)
    assert tables() == []
    assert applysql().code == 0
    assert applysql("--backup") == Ran("", MISSING, 2)  # also when nothing is pending
    assert revertsql("001", "--backup", "--noinput") == Ran("", MISSING, 2)
    assert set(states().values()) == {"applied"}


def test_a_backup_that_fails_stops_the_run(
    fresh_database: str, folder: Path, backups: Path, settings: Settings
) -> None:
    put(folder, FILES)
    backups.rmdir()
    backups.write_text("a file where the folder should be")
    ran = applysql("--backup")
    assert (ran.out, ran.code) == ("", 2)
    assert ran.err.startswith("CommandError: The backup of 'default' failed, so nothing was run: ")
    assert ran.err.endswith("\n  Try it alone: manage.py dbbackup --database default\n")
    assert tables() == []


def test_it_takes_the_pg_dump_that_fits_the_server(
    fresh_database: str, folder: Path, backups: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An older one that comes first on PATH refuses a newer server."""
    fitting = programs.find("pg_dump", server_version())
    old = tmp_path / "old" / "pg_dump"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\n[ \"$1\" = --version ] && echo 'pg_dump (PostgreSQL) 9.6.1' && exit\nexit 1\n")
    old.chmod(0o755)
    path = f"{old.parent}{os.pathsep}{fitting.parent}{os.pathsep}{os.environ['PATH']}"
    monkeypatch.setenv("PATH", path)
    put(folder, FILES)
    ran = applysql("--backup")
    assert (ran.err, ran.code) == ("", 0)
    assert len(names_in(backups)) == 1
    assert os.environ["PATH"] == path
