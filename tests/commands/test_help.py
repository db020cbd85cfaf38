"""The texts of ``--help`` stand alone: what a command does, what each option does, what the exit codes mean."""

from __future__ import annotations

import argparse
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.color import color_style

from sqlmigrations.management.commands import dbhealth
from tests.docs.test_reference import COMMANDS, Bare, arguments

EXIT_CODES = (
    "Exit codes: 0: all is well; 1: something was found, failed or is left to do; 2: could not be asked; "
    "3: another run holds the lock; 4: files and history disagree; 5: a file stopped half-way."
)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_is_explained(name: str) -> None:
    parser = COMMANDS[name]().create_parser("manage.py", name)
    assert parser.epilog == EXIT_CODES
    assert parser.description is not None
    assert parser.description.endswith(".")
    django = arguments(Bare(), name)
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction) or django.intersection(action.option_strings):
            continue
        words = action.help or ""
        assert words.endswith("."), action
        assert len(words.split()) > 2, action
        assert words[0].isupper() or words.split(":")[0] in ("text", "json", "before"), action


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_format_is_explained(name: str) -> None:
    command = COMMANDS[name]()
    parser = command.create_parser("manage.py", name)
    (words,) = [action.help or "" for action in parser._actions if action.dest == "format"]
    assert [part.split(": ")[0].strip() for part in words.split("; ")] == list(command.formats)


@pytest.mark.parametrize(("environment", "is_plain"), [("", False), ("1", True)])
def test_no_color_in_the_environment(environment: str, is_plain: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", environment)
    command = dbhealth.Command(stdout=StringIO())
    command.style = color_style(force_color=True)
    call_command(command, "--list")
    assert (command.style.ERROR("a") == "a") is is_plain
