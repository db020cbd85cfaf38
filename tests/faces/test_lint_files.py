"""``sqlmigrations-lint``: files without a database, a Django project or settings; the hook that calls it."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from project.env import BASE_DIR
from sqlmigrations.management.lint import main

BAD = "-- why\nDROP TABLE items;\n"


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_findings_are_written_as_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "001.sql").write_text(BAD)
    assert main(["001.sql"]) == 1
    assert capsys.readouterr().out == (
        "001.sql:2: warning: What items holds is lost, and every query fails that still names it. [drop-table]\n"
        "  A guess from the text alone.\n"
        "  Write instead:\n"
        "    -- sqlmigrations: allow drop-table: no running code names it, and its data is kept elsewhere\n"
        "    DROP TABLE items;\n"
    )


def test_files_that_are_named_together_are_one_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "001.sql").write_text("CREATE TABLE items (id int);")
    (tmp_path / "002.sql").write_text(BAD)
    assert main(["001.sql", "002.sql"]) == 0
    assert capsys.readouterr().out == ""


def test_what_a_file_must_not_hold_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "001.sql").write_text("SELECT 1;\nCOMMIT;\nVACUUM;")
    assert main(["--format", "json", "001.sql"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [(one["file"], one["line"], one["rule"]) for one in found] == [
        ("001.sql", 2, "transaction-control"),
        ("001.sql", 3, "needs-transaction-off"),
    ]


def test_lines_are_annotated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "001.sql").write_text("ALTER TABLE a ADD COLUMN b json;")
    assert main(["--format", "github", "--style", "001.sql"]) == 0
    assert capsys.readouterr().out == (
        "::notice file=001.sql,line=1,title=prefer-jsonb::b: jsonb can be compared and indexed.%0ASure.\n"
    )


def test_a_file_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nowhere.sql"]) == 2
    assert "nowhere.sql: can't be read: No such file or directory" in capsys.readouterr().err


def test_it_needs_no_settings(tmp_path: Path) -> None:
    (tmp_path / "001.sql").write_text("SELECT 1;")
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    program = "import sys; from sqlmigrations.management.lint import main; sys.exit(main(['001.sql']))"
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={**environment, "PYTHONPATH": str(BASE_DIR)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_nobody_has_to_read_to_the_end(tmp_path: Path) -> None:
    (tmp_path / "001.sql").write_text(BAD)
    program = "import sys; from sqlmigrations.management.lint import main; sys.exit(main(['001.sql']))"
    reading, writing = os.pipe()
    os.close(reading)
    variables = {**os.environ, "PYTHONPATH": str(BASE_DIR)}
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, cwd=tmp_path, env=variables, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (ran.stderr.decode(), ran.returncode) == ("", 1)


@pytest.mark.parametrize(
    ("format", "code", "said"),
    [("text", 1, ""), ("json", 2, "The standard output is closed: nobody would get what is to be written there.\n")],
)
def test_a_closed_standard_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str, code: int, said: str
) -> None:
    """As in ``sqlmigrations-lint >&-``."""
    (tmp_path / "001.sql").write_text(BAD)
    heard = io.StringIO()
    monkeypatch.setattr("sys.stdout", None)
    monkeypatch.setattr("sys.stderr", heard)
    assert (main(["--format", format, "001.sql"]), heard.getvalue()) == (code, said)


@pytest.mark.parametrize(("format", "code"), [("text", 1), ("json", 2)])
def test_a_full_disk_below_the_standard_output(tmp_path: Path, format: str, code: int) -> None:
    (tmp_path / "001.sql").write_text(BAD)
    program = (
        f"import sys; from sqlmigrations.management.lint import main; sys.exit(main(['--format={format}', '001.sql']))"
    )
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(BASE_DIR)},
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    said = "The standard output could not be written: No space left on device.\n"
    assert (ran.stderr.decode(), ran.returncode) == (said, code)


def test_the_hook_takes_sql_files_of_migrations() -> None:
    hook = (BASE_DIR / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    taken = re.compile(re.findall(r"^  files: (.+)$", hook, re.MULTILINE)[0])
    left = re.compile(re.findall(r"^  exclude: (.+)$", hook, re.MULTILINE)[0])
    assert "entry: sqlmigrations-lint\n" in hook

    def is_linted(path: str) -> bool:
        return bool(taken.search(path)) and not left.search(path)

    assert is_linted("migrations_sql/001_a.sql")
    assert is_linted("shop/migrations_sql/repeatable/a.sql")
    assert not is_linted("migrations_sql/001_a.down.sql")
    assert not is_linted("migrations_sql/001_a.verify.sql")
    assert not is_linted("migrations_sql/seed/a.sql")
    assert not is_linted("docs/a.sql")
