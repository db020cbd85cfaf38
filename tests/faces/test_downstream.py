"""Tests of the app in a project that uses it: the project's own test runs, in test databases and their clones."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql

from project.env import BASE_DIR
from project.postgres import database_url
from tests.databases import session
from tests.helpers import PATIENCE, Ran, plain

pytestmark = [pytest.mark.processes, pytest.mark.slow]

DOWNSTREAM = Path(__file__).parent / "downstream"


class Project:
    """The downstream project on two databases of its own."""

    def __init__(self, name: str) -> None:
        self.databases = [name, f"{name}_reports"]
        self.url = database_url(name)

    def run(self, *arguments: str, **environment: str) -> Ran:
        """Run ``python -m ...`` in it and return the whole answer."""
        answer = subprocess.run(
            [sys.executable, "-m", *arguments],
            env={
                **{name: text for name, text in os.environ.items() if not name.startswith("PYTEST_")},
                "DJANGO_SETTINGS_MODULE": "tests.faces.downstream.settings",
                "DATABASE_URL": self.url,
                **environment,
            },
            cwd=BASE_DIR,
            capture_output=True,
            text=True,
            timeout=5 * PATIENCE,
        )
        return Ran(plain(answer.stdout), plain(answer.stderr), answer.returncode)

    def manage(self, *arguments: str) -> Ran:
        """Run ``manage.py ...``."""
        return self.run("django", *arguments, "--no-color")

    def pytest(self, *arguments: str) -> Ran:
        """Run its tests with pytest."""
        ours = ("-c", str(DOWNSTREAM / "pytest.ini"), "-p", "no:cacheprovider", "-q")
        return self.run("pytest", *ours, *arguments, str(DOWNSTREAM))


@pytest.fixture
def project() -> Iterator[Project]:
    """Give the project two new databases; afterwards remove them and all that its test runs left."""
    made = Project(f"sqlm_shop_{os.getpid()}")
    with session() as connection:
        for name in made.databases:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        try:
            yield made
        finally:
            left = connection.execute(
                "SELECT datname FROM pg_database WHERE datname ~ %s", [f"^(test_)?{made.databases[0]}(_|$)"]
            )
            for (name,) in left.fetchall():
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_pytest_finds_the_sql_objects_in_its_test_database(project: Project) -> None:
    ran = project.pytest("-p", "xdist", "-p", "randomly")
    assert (ran.err, ran.code) == ("", 0), ran.out
    assert "10 passed" in ran.out


def test_parallel_test_databases_of_pytest(project: Project) -> None:
    ran = project.pytest("-n", "2")
    assert (ran.err, ran.code) == ("", 0), ran.out
    assert "10 passed" in ran.out


def test_parallel_clones_of_the_test_runner(project: Project) -> None:
    ran = project.manage("test", "tests.faces.downstream.shop", "--parallel", "2", "-v2")
    assert ran.code == 0, ran.err
    assert "Cloning test database for alias 'default'" in ran.err
    assert ran.err.count("... ok\n") == 10
    assert ran.out.count("  Applying shop/001_greetings.sql... OK") == 1


def test_flush_keeps_the_history(project: Project) -> None:
    assert project.manage("migrate").code == 0
    before = project.manage("applysql", "--list")
    assert before.out.count("[X]") == 2
    assert project.manage("flush", "--noinput") == Ran("", "", 0)
    assert project.manage("applysql", "--list") == before
    assert project.manage("applysql", "--check") == Ran("Every SQL file is applied.\n", "", 0)


def test_each_database_has_its_own_files(project: Project) -> None:
    assert "report" not in project.manage("migrate").out
    ran = project.manage("migrate", "--database", "reports")
    assert ran.out.endswith(
        "Running SQL files:\n  Applying 001_report.sql... OK (<time>, 2 statements)\n  1 applied.\n"
        "Head of the history: <hash>\n"
    )
