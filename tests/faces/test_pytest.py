"""The fixtures for other projects' test suites, in a project that uses them."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from django.db import connections

from tests.helpers import plain, put

pytest_plugins = "pytester"

pytestmark = [pytest.mark.processes, pytest.mark.slow]

SETTINGS = """
SECRET_KEY = "only for tests"
USE_TZ = True
INSTALLED_APPS = ["django.contrib.contenttypes", "sqlmigrations"]
DATABASES = {{"default": {{"ENGINE": "django.db.backends.postgresql", **{database}}}}}
SQLMIGRATIONS_DIRS = [{folder!r}]
SQLMIGRATIONS_APPLY_ON_MIGRATE = True
"""

CONFTEST = """
import pathlib
import pytest
from django.db import connection

pytest_plugins = ["sqlmigrations.pytest"]

@pytest.fixture(scope="session")
def by_hand(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE by_hand (id int PRIMARY KEY)")

@pytest.fixture(scope="session")
def one_more(django_db_setup):
    pathlib.Path("sql/003.sql").write_text("SELECT 3;")
"""

FILES = {
    "001.sql": "CREATE TABLE one (id int PRIMARY KEY);\n",
    "001.down.sql": "DROP TABLE one;\n",
    "002.sql": "CREATE TABLE two (id int PRIMARY KEY);\n",
}


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """Make a project whose files are applied when its test database is made."""
    given = connections["default"].settings_dict
    database = {key: given[key] for key in ("HOST", "PORT", "USER", "PASSWORD")}
    database["NAME"] = f"sqlm_suite_{os.getpid()}"
    folder = pytester.mkdir("sql")
    put(folder, FILES)
    pytester.makepyfile(settings=SETTINGS.format(database=database, folder=str(folder)), conftest=CONFTEST)
    pytester.makeini("[pytest]\npythonpath = .\nfilterwarnings = error\n")
    return pytester


def ran(suite: pytest.Pytester) -> tuple[dict[str, int], str]:
    """Run the project's tests; return what became of them, and all words."""
    result = suite.runpytest_subprocess("-p", "no:randomly", "-p", "no:cacheprovider", "--color=no", "--ds=settings")
    return result.parseoutcomes(), plain(result.stdout.str())


@pytest.mark.nightly
def test_a_project_whose_files_and_schema_fit_together(suite: pytest.Pytester) -> None:
    suite.makepyfile(test_it="def test_the_schema(sqlmigrations_checked): pass")
    outcomes, words = ran(suite)
    assert outcomes == {"passed": 1}, words


def test_what_does_not_fit_fails_the_tests_that_ask(suite: pytest.Pytester) -> None:
    put(suite.path / "sql", {"002.down.sql": "SELECT 'nothing';\n"})
    suite.makepyfile(
        test_it="""
        def test_down_scripts(sqlmigrations_reversible): pass
        def test_drift(by_hand, sqlmigrations_without_drift): pass
        def test_pending(one_more, sqlmigrations_applied): pass
        def test_something_else(): pass
        """
    )
    outcomes, words = ran(suite)
    assert outcomes == {"errors": 3, "passed": 1}, words
    assert said(words, "test_down_scripts") == (
        "Database 'default':\n"
        "Up, down and up again:\n"
        "  error file 002.down.sql: down script should be complete, found table public.two is present\n"
        "    Fix: mend 002.down.sql\n"
        '  error file 002.sql: second run should be possible, found 002.sql:1: relation "two" already exists\n'
        "    Fix: mend 002.sql"
    )
    assert said(words, "test_drift") == (
        "Database 'default':\n"
        "What the last run left:\n"
        "  warning table public.by_hand: presence should be absent, found present"
    )
    assert said(words, "test_pending") == (
        "Database 'default':\n"
        "Not applied: 003.sql\n"
        "Let the files follow migrate, in test databases too: SQLMIGRATIONS_APPLY_ON_MIGRATE = True"
    )


def said(words: str, test: str) -> str:
    """Return what pytest shows for a test whose fixture has failed."""
    shown = words.partition(f" ERROR at setup of {test} ")[2].partition("\n")[2]
    return re.split(r"\n[_=]{4}", shown)[0]


def test_pytest_is_imported_by_nothing_else() -> None:
    """It is no requirement of the package."""
    package = Path(__file__).parents[2] / "sqlmigrations"
    users = [path.name for path in package.rglob("*.py") if "import pytest" in path.read_text(encoding="utf-8")]
    assert users == ["pytest.py"]
