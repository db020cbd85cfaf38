"""Tests of what a shell offers for ``manage.py``: Django's answers for our commands, and the script for bash."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import ManagementUtility, load_command_class

import sqlmigrations.contrib
from project.env import BASE_DIR
from tests.helpers import put

SCRIPT = Path(*sqlmigrations.contrib.__path__) / "completion.bash"
COMMANDS = ("applysql", "dbhealth", "makesql", "revertsql", "validateschema")

FILES = {
    "migrations_sql/001_users.sql": "",
    "migrations_sql/001_users.down.sql": "",
    "migrations_sql/001_users.verify.sql": "",
    "migrations_sql/repeatable/totals.sql": "",
    "migrations_sql/seed/test_data.sql": "",
    "billing/__init__.py": "",
    "billing/migrations_sql/001_bills.sql": "",
    "billing/migrations_sql/seed/rates.sql": "",
    "node_modules/other/migrations_sql/001_not_ours.sql": "",
    ".venv/lib/other/migrations_sql/001_not_ours.sql": "",
}


def django_says(line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return what Django itself answers a shell about the last word of ``line``."""
    monkeypatch.setenv("DJANGO_AUTO_COMPLETE", "1")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
    with pytest.raises(SystemExit):
        ManagementUtility(["manage.py"]).autocomplete()
    return capsys.readouterr().out.split()


def flags(name: str) -> dict[str, bool]:
    """Return a command's flags, each with whether it takes a value."""
    parser = load_command_class("sqlmigrations", name).create_parser("manage.py", name)
    return {min(action.option_strings): action.nargs != 0 for action in parser._actions if action.option_strings}


def bash(script: str, folder: Path) -> str:
    """Return what a line of bash says that knows the completion."""
    variables = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", f". {shlex.quote(str(SCRIPT))}; {script}"],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout


def offered(folder: Path, *words: str) -> list[str]:
    """Return what bash offers for the last of ``words``."""
    given = " ".join(shlex.quote(word) for word in words)
    script = f"COMP_WORDS=({given}); COMP_CWORD={len(words) - 1}; _sqlmigrations; echo ${{COMPREPLY[*]}}"
    return bash(script, folder).split()


def test_django_offers_our_commands(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert set(COMMANDS) <= set(django_says("manage.py ", monkeypatch, capsys))
    assert django_says("manage.py validates", monkeypatch, capsys) == ["validateschema"]


@pytest.mark.parametrize("name", COMMANDS)
def test_django_offers_our_flags(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = {f"{flag}=" if takes_value else flag for flag, takes_value in flags(name).items()}
    assert set(django_says(f"manage.py {name} --", monkeypatch, capsys)) == expected


@pytest.mark.processes
def test_bash_asks_django() -> None:
    words = ["python", "manage.py", "applysql", "--re"]
    assert offered(BASE_DIR, *words) == ["--reason=", "--rehearse", "--repair", "--restart", "--resume-at="]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["applysql", ""], ["001_users.sql", "billing/001_bills.sql", "repeatable/totals.sql"]),
        (["applysql", "00"], ["001_users.sql"]),
        (["applysql", "001_users.sql", "bil"], ["billing/001_bills.sql"]),
        (["applysql", "--to", "=", "rep"], ["repeatable/totals.sql"]),
        (["applysql", "--to", "="], ["001_users.sql", "billing/001_bills.sql", "repeatable/totals.sql"]),
        (["applysql", "--seed", ""], ["billing/seed/rates.sql", "seed/test_data.sql"]),
        (["revertsql", "001"], ["001_users.sql"]),
    ],
)
def test_bash_offers_files(words: list[str], expected: list[str], tmp_path: Path) -> None:
    put(tmp_path, FILES)
    assert offered(tmp_path, "python", "manage.py", *words) == expected


def test_bash_leaves_other_programs_of_python_alone(tmp_path: Path) -> None:
    put(tmp_path, FILES)
    assert offered(tmp_path, "python", "script.py", "00") == []
    assert offered(tmp_path, "python", "manage") == []


@pytest.mark.parametrize("name", ["applysql", "revertsql"])
def test_bash_offers_files_behind_flags_that_take_one(name: str, tmp_path: Path) -> None:
    """And behind those that take nothing."""
    asked = "; ".join(f'_sqlmigrations_wants_name {name} {flag} "" && echo {flag}' for flag in flags(name))
    assert set(bash(f"{asked}; true", tmp_path).split()) == {
        flag for flag, takes_value in flags(name).items() if not takes_value or flag in ("--to", "--baseline", "--seed")
    }
