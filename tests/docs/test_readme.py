"""Tests that the README's table of commands and its pictures show what there is."""

from __future__ import annotations

import re

import pytest
from django.core.management import load_command_class

from project.env import BASE_DIR
from tests.docs.pages import sections_of
from tests.docs.terminal import DRAWN, PAGE, PICTURE, shown, texts
from tests.docs.walk import commands
from tests.helpers import plain

README = BASE_DIR / "README.md"


def spans() -> list[str]:
    """Return what the README's table of commands names, such as ``applysql --fake`` and ``--baseline NAME``."""
    return sections_of(README)["The commands"].named()


def test_the_picture_of_the_terminal_shows_the_tutorial() -> None:
    """Draw it anew with: python -m tests.docs.terminal. Blanks at the beginning of a line are places in the picture."""
    told = commands(PAGE.read_text(encoding="utf-8"))
    assert [told[number].line for number, _line in DRAWN] == [line for _number, line in DRAWN]
    expected = [
        line.strip() for number, line in DRAWN for line in (f"$ {line}", *shown(told[number].said).splitlines())
    ]
    drawn = [line.strip() for line in texts(PICTURE.read_text(encoding="utf-8")) if line]
    assert [plain(line) for line in drawn] == [plain(line) for line in expected]


def test_the_picture_fetches_nothing() -> None:
    picture = PICTURE.read_text(encoding="utf-8")
    assert set(re.findall(r"https?://[\w./]+", picture)) == {"http://www.w3.org/2000/svg", "https://www.textualize.io"}
    assert "@font-face" not in picture


def test_the_commands_of_the_table_exist() -> None:
    name = ""
    for span in spans():
        words = span.split()
        name = words.pop(0) if not span.startswith("--") else name
        flags = [word for word in words if word.startswith("--")]
        known = load_command_class("sqlmigrations", name).create_parser("manage.py", name)._option_string_actions
        assert [flag for flag in flags if flag not in known] == [], span


@pytest.mark.parametrize("name", ["applysql", "revertsql", "validateschema", "dbhealth", "makesql"])
def test_the_table_names_each_command(name: str) -> None:
    assert [span for span in spans() if span.split()[0] == name] != []
