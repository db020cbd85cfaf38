"""Tests of what a shell offers for ``manage.py``: Django's answers, and the script for bash and zsh."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import ManagementUtility, load_command_class

import sqlmigrations.contrib
from project.env import BASE_DIR
from tests.helpers import put

SCRIPT = Path(*sqlmigrations.contrib.__path__) / "completion.sh"
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


#: How each shell is begun, and what stands in its start-up file before the script.
SHELLS = {"bash": (["bash", "-c"], ""), "zsh": (["zsh", "-fc"], "autoload -Uz compinit && compinit -D -u; ")}


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    """Return the name of a shell that is installed."""
    name: str = request.param
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    return name


def said(shell: str, script: str, folder: Path) -> str:
    """Return what a line says in a shell that knows the completion."""
    variables = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    program, before = SHELLS[shell]
    done = subprocess.run(
        [*program, f"{before}. {shlex.quote(str(SCRIPT))}; {script}"],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout


def offered(shell: str, folder: Path, *words: str) -> list[str]:
    """Return what a shell offers for the last of ``words``; zsh picks for itself what begins like it."""
    given = " ".join(shlex.quote(word) for word in words)
    script = f"COMP_WORDS=({given}); COMP_CWORD={len(words) - 1}; _sqlmigrations; echo ${{COMPREPLY[*]}}"
    answers = said(shell, script, folder).split()
    begun = words[-1] if shell == "zsh" and words[-1] != "=" else ""
    return [answer for answer in answers if answer.startswith(begun)]


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
def test_a_shell_asks_django(shell: str) -> None:
    """To zsh, which would put a space behind each, flags come without the sign that bash goes on behind."""
    sign = "=" if shell == "bash" else ""
    expected = [f"--reason{sign}", "--rehearse", "--repair", "--restart", f"--resume-at{sign}"]
    assert offered(shell, BASE_DIR, "python", "manage.py", "applysql", "--re") == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["applysql", ""], ["001_users.sql", "billing/001_bills.sql", "repeatable/totals.sql"]),
        (["applysql", "00"], ["001_users.sql"]),
        (["applysql", "001_users.sql", "bil"], ["billing/001_bills.sql"]),
        (["applysql", "--to", "=", "rep"], ["repeatable/totals.sql"]),
        (["applysql", "--to", "="], ["001_users.sql", "billing/001_bills.sql", "repeatable/totals.sql"]),
        (["applysql", "--seed", ""], ["billing/seed/rates.sql", "seed/test_data.sql"]),
        (["applysql", "--to=rep"], ["--to=repeatable/totals.sql"]),
        (["revertsql", "001"], ["001_users.sql"]),
    ],
)
def test_a_shell_offers_files(shell: str, words: list[str], expected: list[str], tmp_path: Path) -> None:
    """Bash makes three words of a flag with its value, zsh one."""
    put(tmp_path, FILES)
    assert offered(shell, tmp_path, "python", "manage.py", *words) == expected


def test_other_programs_of_python_are_left_alone(shell: str, tmp_path: Path) -> None:
    put(tmp_path, FILES)
    assert offered(shell, tmp_path, "python", "script.py", "00") == []
    assert offered(shell, tmp_path, "python", "manage") == []


@pytest.mark.parametrize("name", ["applysql", "revertsql"])
def test_files_are_offered_behind_flags_that_take_one(shell: str, name: str, tmp_path: Path) -> None:
    """And behind those that take nothing."""
    asked = "; ".join(f'_sqlmigrations_wants_name {name} {flag} "" && echo {flag}' for flag in flags(name))
    assert set(said(shell, f"{asked}; true", tmp_path).split()) == {
        flag for flag, takes_value in flags(name).items() if not takes_value or flag in ("--to", "--baseline", "--seed")
    }
