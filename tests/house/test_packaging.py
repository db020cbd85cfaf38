"""Test of what is published: the source distribution, the wheel made from it, and the app working from that wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from project.env import BASE_DIR
from tests.docs.scenes import walk
from tests.docs.walk import differences

pytestmark = [pytest.mark.slow, pytest.mark.processes]

#: What the app needs besides its modules.
DATA = {".sql", ".sh", ".json", ".html", ".css", ".js", ".svg", ".mo", ".po", ".typed"}

SETTINGS = """
import os
SECRET_KEY = "of the test"
INSTALLED_APPS = ["django.contrib.contenttypes", "sqlmigrations"]
USE_TZ = True
host, port, user, password, name = os.environ["TEST_DATABASE"].split("|")
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": host, "PORT": port, "USER": user, "PASSWORD": password, "NAME": name,
    }
}
SQLMIGRATIONS_DIRS = [os.path.join(os.path.dirname(__file__), "migrations_sql")]
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from the source distribution, as a release does, and return its path."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(BASE_DIR / name, source)
    shutil.copytree(
        BASE_DIR / "sqlmigrations", source / "sqlmigrations", ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
    )
    run(sys.executable, "-m", "build", "--outdir", "dist", cwd=source)
    (made,) = (source / "dist").glob("*.whl")
    return made


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a command that has to succeed without a word of warning; return its output."""
    # Most modules that pip installs here are never imported: compiling them all takes longer than the rest.
    variables = os.environ | {"PIP_NO_COMPILE": "1"} | environment
    done = subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_everything_is_inside(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("sqlmigrations/")}
    here = {
        str(path.relative_to(BASE_DIR))
        for path in (BASE_DIR / "sqlmigrations").rglob("*")
        if path.suffix in DATA | {".py"}
    }
    assert packed == here
    assert "sqlmigrations/py.typed" in packed
    assert {Path(name).suffix for name in packed} >= {".py", ".sql", ".sh", ".html", ".css", ".mo", ".typed"}


def test_nothing_else_is_inside(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        folders = {name.split("/", 1)[0] for name in archive.namelist()}
    (metadata,) = folders - {"sqlmigrations"}
    assert metadata.endswith(".dist-info")


def test_the_app_works_from_the_wheel(wheel: Path, tmp_path: Path, fresh_database: str) -> None:
    from django.db import connection

    environment = tmp_path / "environment"
    venv.create(environment)
    python = environment / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "--quiet", "--disable-pip-version-check")
    run(*pip, "install", wheel, cwd=tmp_path)

    (tmp_path / "settings.py").write_text(SETTINGS)
    files = tmp_path / "migrations_sql"
    files.mkdir()
    (files / "001_users.sql").write_text("CREATE TABLE users (id int PRIMARY KEY);\n")
    where = connection.settings_dict
    variables = {
        "DJANGO_SETTINGS_MODULE": "settings",
        "PYTHONPATH": str(tmp_path),
        "PYTHONWARNINGS": "error",
        "TEST_DATABASE": "|".join(str(where[key] or "") for key in ("HOST", "PORT", "USER", "PASSWORD", "NAME")),
    }

    def manage(*arguments: str) -> str:
        return run(python, "-m", "django", *arguments, cwd=tmp_path, **variables)

    assert "No changes detected" in manage("makemigrations", "--check")
    manage("migrate", "--verbosity", "0")
    assert "001_users.sql" in manage("applysql", "--list")
    assert "001_users.sql" in manage("applysql")
    manage("applysql", "--check")
    manage("check", "--database", "default")
    with connection.cursor() as cursor:
        cursor.execute("SELECT filename, success FROM sqlmigrations_migrationrecord")
        assert cursor.fetchall() == [("001_users.sql", True)]


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["docs/tutorial.md", "docs/existing-database.md"])
def test_a_stranger_gets_through_the_tutorials_with_the_wheel(name: str, wheel: Path, tmp_path: Path) -> None:
    """In an environment of its own, with nothing from the checkout."""
    venv.create(tmp_path / "environment", with_pip=True)
    python = tmp_path / "environment" / "bin" / "python"
    with walk(BASE_DIR / name, tmp_path / "walk", python=python, wheel=wheel) as reader:
        said = reader.page(BASE_DIR / name)
    assert differences([(command, now) for command, now in said if not command.line.startswith("pip ")]) == []
    where = run(python, "-c", "import sqlmigrations; print(sqlmigrations.__file__)", cwd=tmp_path, PYTHONPATH="")
    assert Path(where).is_relative_to(tmp_path)
