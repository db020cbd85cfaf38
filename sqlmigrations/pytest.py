"""Fixtures of pytest that fail a project's test suite when SQL files and schema don't fit together.

Name the module in the project's outermost ``conftest.py``; nothing else of the package imports it, or pytest:

    pytest_plugins = ["sqlmigrations.pytest"]

Then a test asks for what it wants to be sure of:

    def test_the_schema(sqlmigrations_checked): ...

The fixtures look at the test databases that pytest-django makes, once in each test process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_django import DjangoDbBlocker

    from sqlmigrations.service.validate import ValidationReport


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that ask for our fixtures, so that pytest-django makes the test databases."""
    ours = {"sqlmigrations_applied", "sqlmigrations_without_drift", "sqlmigrations_reversible", "sqlmigrations_checked"}
    for item in items:
        if ours.intersection(getattr(item, "fixturenames", ())):
            marked = item.get_closest_marker("django_db")
            given = {**(marked.kwargs if marked else {}), "databases": "__all__"}
            item.add_marker(pytest.mark.django_db(**given), append=False)


@pytest.fixture(scope="session")
def sqlmigrations_databases() -> Sequence[str]:
    """Return the aliases that are looked at: those that have SQL files. Override it to name others."""
    from sqlmigrations.service.databases import aliases_with_files

    return aliases_with_files()


@pytest.fixture(scope="session")
def sqlmigrations_applied(
    sqlmigrations_databases: Sequence[str], django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> None:
    """Fail where a SQL file is pending, held, failed, changed or missing in a test database."""
    with django_db_blocker.unblock():
        _expect_nothing(sqlmigrations_databases, _unapplied)


@pytest.fixture(scope="session")
def sqlmigrations_without_drift(
    sqlmigrations_databases: Sequence[str], django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> None:
    """Fail where a test database is not what models, files and settings say, or where that can't be told."""
    with django_db_blocker.unblock():
        _expect_nothing(sqlmigrations_databases, _drift)


@pytest.fixture(scope="session")
def sqlmigrations_reversible(
    sqlmigrations_databases: Sequence[str], django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> None:
    """Fail where a down script does not undo its file, or the file does not run again behind it.

    Each is tried in a scratch database beside the test database; files without a down script are just applied.
    """
    with django_db_blocker.unblock():
        _expect_nothing(sqlmigrations_databases, _irreversible)


@pytest.fixture(scope="session")
def sqlmigrations_checked(
    sqlmigrations_applied: None, sqlmigrations_without_drift: None, sqlmigrations_reversible: None
) -> None:
    """Fail for any of the reasons of the three others."""


def _expect_nothing(aliases: Sequence[str], look: Callable[[str], str]) -> None:
    """Fail with what ``look`` says of each database, unless it says nothing."""
    from sqlmigrations.exceptions import SQLMigrationsError

    if not aliases:
        pytest.fail(
            "No database of the project has SQL files: name their folders in SQLMIGRATIONS_DIRS.", pytrace=False
        )
    said = []
    for alias in aliases:
        try:
            words = look(alias)
        except SQLMigrationsError as error:
            words = str(error)
        if words:
            said.append(f"Database '{alias}':\n{words}")
    if said:
        pytest.fail("\n\n".join(said), pytrace=False)


def _unapplied(alias: str) -> str:
    from django.core.management.color import no_style

    from sqlmigrations import api
    from sqlmigrations.output import exit_codes
    from sqlmigrations.output.text import check_lines

    report = api.plan(database=alias)
    if not exit_codes.of_check(report):
        return ""
    hint = "Let the files follow migrate, in test databases too: SQLMIGRATIONS_APPLY_ON_MIGRATE = True"
    return "\n".join([*check_lines(report, no_style()), *([hint] if report.plan.runnable else [])])


def _drift(alias: str) -> str:
    from sqlmigrations import api

    return _worded(api.validate(database=alias))


def _irreversible(alias: str) -> str:
    from sqlmigrations import api
    from sqlmigrations.schema.difference import Source

    report = api.validate(database=alias, models=False, roundtrip=True)
    differences = tuple(each for each in report.differences if each.source is Source.ROUNDTRIP)
    skipped = tuple(each for each in report.skipped if each.asked)
    return _worded(replace(report, differences=differences, skipped=skipped))


def _worded(report: ValidationReport) -> str:
    """Return a report's words, nothing where all is as it should be."""
    from django.core.management.color import no_style

    from sqlmigrations.output import exit_codes, validation

    return "\n".join(validation.lines(report, no_style(), verbosity=0)) if exit_codes.of_validation(report) else ""
