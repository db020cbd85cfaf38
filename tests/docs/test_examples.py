"""Tests that the examples of pipelines, manifests and rights are such."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import yaml
from django.core.management import load_command_class

from tests.docs.pages import DOCS
from tests.docs.walk import File, steps
from tests.helpers import rows

SHOWN = [
    (page, step)
    for page in ("ci", "kubernetes")
    for step in steps((DOCS / "howto" / f"{page}.md").read_text(encoding="utf-8"))
    if isinstance(step, File)
]


def scripts(value: Any, key: str = "") -> list[str]:
    """Return what is run: the texts below ``run``, ``script`` and ``command``."""
    match value:
        case dict():
            return [line for name, inner in value.items() for line in scripts(inner, name)]
        case list():
            return [line for inner in value for line in scripts(inner, key)]
        case str() if key in ("run", "script", "command"):
            return value.split(" && ")
    return []


@pytest.mark.parametrize(("page", "file"), SHOWN, ids=lambda value: getattr(value, "path", value))
def test_examples_are_yaml_and_call_what_there_is(page: str, file: File) -> None:
    found = [line for line in scripts(yaml.safe_load(file.text)) if "manage.py" in line]
    assert found
    for line in found:
        name, *arguments = shlex.split(line)[2:]
        if name != "migrate":
            load_command_class("sqlmigrations", name).create_parser("manage.py", name).parse_args(arguments)


def test_all_pages_have_examples() -> None:
    assert [(page, file.path) for page, file in SHOWN] == [
        ("ci", ".github/workflows/schema.yml"),
        ("ci", ".gitlab-ci.yml"),
        ("kubernetes", "templates/migrate.yaml"),
        ("kubernetes", "deployment.yaml"),
    ]


def test_a_role_can_be_asked_for_its_rights(fresh_database: str) -> None:
    """As the superuser of the tests, who has them all."""
    query = re.findall(r"```sql\n(SELECT rolcreatedb.*?)```", (DOCS / "howto" / "managed.md").read_text(), re.DOTALL)
    assert rows(query[0]) == [(True, True, True, True, True)]
