"""Tests that whatever pages show in a block is what its language says, and that no page shows an answer by hand."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pgparse
import pytest
import yaml
from django.core.management import load_command_class
from pytest_django import Settings

from project.env import BASE_DIR
from sqlmigrations.checks.settings import check
from sqlmigrations.conf import NAMES, PREFIX
from sqlmigrations.management.lint import make_parser
from tests.docs.pages import PAGES
from tests.docs.scenes import SCENES
from tests.docs.walk import commands
from tests.lint.helpers import source

_BLOCK = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_OURS = ("applysql", "dbhealth", "makesql", "performaction", "revertsql", "validateschema")


def is_python(text: str) -> None:
    """Read it, and look whether there are such settings."""
    tree = ast.parse(text)
    set_here = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id.startswith(PREFIX)}
    assert {name.removeprefix(PREFIX) for name in set_here} <= NAMES


def is_sql(text: str) -> None:
    """Let the splitter and PostgreSQL's own parser read it."""
    for statement in source(text).statements:
        pgparse.parse(statement.text)


def is_shell(text: str) -> None:
    """Let the shell read it, and our commands read their flags."""
    subprocess.run(["bash", "-n", "-c", text], check=True, capture_output=True)
    for line in text.splitlines():
        words = shlex.split(line.partition(" | ")[0].partition(" > ")[0], comments=True)
        match words:
            case ["python", "manage.py", name, *arguments] if name in _OURS:
                load_command_class("sqlmigrations", name).create_parser("manage.py", name).parse_args(arguments)
            case ["sqlmigrations-lint", *arguments]:
                make_parser().parse_args(arguments)


def is_console(text: str) -> None:
    """Read the commands of a page that isn't walked through."""
    is_shell("\n".join(line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ ")))


def is_json(text: str) -> None:
    """Read it."""
    json.loads(text)


def is_yaml(text: str) -> None:
    """Read it."""
    yaml.safe_load(text)


READERS: dict[str, Callable[[str], None] | None] = {
    "console": None,
    "json": is_json,
    "python": is_python,
    "sh": is_shell,
    "sql": is_sql,
    "text": None,
    "yaml": is_yaml,
}


def name_of(page: Path) -> str:
    """Return a page's path as a test's name."""
    return str(page.relative_to(BASE_DIR))


#: Written from the rules, whose examples are read in tests/lint; some of them are wrong on purpose.
WRITTEN = BASE_DIR / "docs" / "reference" / "lint.md"


@pytest.mark.parametrize("page", [page for page in PAGES if page != WRITTEN], ids=name_of)
def test_blocks_are_what_they_say(page: Path) -> None:
    walked = name_of(page) in SCENES
    for _indent, language, text in _BLOCK.findall(page.read_text(encoding="utf-8")):
        read = READERS[language] if language != "console" or walked else is_console
        if read is not None:
            read(textwrap.dedent(text))


@pytest.mark.parametrize("page", [page for page in PAGES if name_of(page) not in SCENES], ids=name_of)
def test_answers_are_shown_on_walked_pages_only(page: Path) -> None:
    assert [command.line for command in commands(page.read_text(encoding="utf-8")) if command.said] == []


def settings_shown() -> Iterator[tuple[str, ast.Assign]]:
    """Yield what pages set of ours without doing it: blocks with a title are files of a walk."""
    for page in PAGES:
        for text in re.findall(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            for node in ast.parse(text).body:
                if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).startswith(PREFIX):
                    yield name_of(page), node


@pytest.mark.parametrize(
    ("page", "node"),
    [pytest.param(page, node, id=f"{page}-{ast.unparse(node.targets[0])}") for page, node in settings_shown()],
)
def test_settings_are_such(page: str, node: ast.Assign, settings: Settings) -> None:
    """What they are made of in a project stands for itself; aliases are those of the page."""
    given = {"BASE_DIR": BASE_DIR, "DEBUG": False}
    value = eval(compile(ast.Expression(node.value), page, "eval"), given)  # noqa: S307 - the page's own text
    setattr(settings, ast.unparse(node.targets[0]), value)
    assert [message for message in check() if message.id != "sqlmigrations.E003"] == []
