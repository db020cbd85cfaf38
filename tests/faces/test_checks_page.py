"""Tests of the checks' registration, and of the page that explains their ids."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from django.core import checks

from project.env import BASE_DIR
from sqlmigrations.checks import (
    SETTINGS,
    TAG,
    check_databases,
    check_deployment,
    check_files,
    check_routing,
    check_settings,
)
from sqlmigrations.checks.messages import IDS, PAGE, error, warning

TEXT = (BASE_DIR / "docs" / "reference" / "checks.md").read_text(encoding="utf-8")


def test_the_page_has_a_section_for_each_id() -> None:
    sections = re.findall(r"^### (\w+)\n\n\*\*(.+?)\.\*\*", TEXT, re.MULTILINE)
    assert sections == list(IDS.items())


def test_the_page_is_where_the_hints_point() -> None:
    with (BASE_DIR / "pyproject.toml").open("rb") as file:
        urls = tomllib.load(file)["project"]["urls"]
    path = PAGE.removeprefix(urls["Source"] + "/blob/main/")
    assert Path(BASE_DIR, path).read_text(encoding="utf-8") == TEXT


def test_messages() -> None:
    assert error("001", "No.", hint="Yes.", obj="x") == checks.Error(
        "No.", hint=f"Yes. ({PAGE}#e001)", obj="x", id="sqlmigrations.E001"
    )
    assert warning("031", "No.", hint="", obj="x") == checks.Warning(
        "No.", hint=f"({PAGE}#w031)", obj="x", id="sqlmigrations.W031"
    )
    with pytest.raises(LookupError):
        error("031", "No.", hint="", obj="x")


def test_what_is_registered() -> None:
    ours: dict[object, set[str]] = {
        check: set(check.tags)
        for check in checks.registry.registry.get_checks(include_deployment_checks=True)
        if check.__module__.startswith("sqlmigrations")
    }
    assert ours == {
        check_settings: {TAG, SETTINGS},
        check_files: {TAG, "files"},
        check_routing: {TAG},
        check_databases: {TAG, "database"},
        check_deployment: {TAG, "database"},
    }


def test_databases_are_asked_for_by_name_only() -> None:
    """Without the mark for database access, any question would be an error."""
    assert checks.run_checks(tags=[checks.Tags.database]) == []
    assert checks.run_checks(tags=[TAG], databases=[]) == []
