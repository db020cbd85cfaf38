"""Tests the models of Django's own test suite, as far as they install: nothing differs."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import django
import pytest

from project.env import BASE_DIR
from project.postgres import database_url


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return the tests of Django's source, which its wheel doesn't have; the package index has to be reachable."""
    version = f"django=={django.__version__}"
    options = ["--no-deps", "--no-binary", ":all:", "--dest", str(tmp_path)]
    got = subprocess.run([sys.executable, "-m", "pip", "download", *options, version], capture_output=True, check=False)
    archives = list(tmp_path.glob("*.tar.gz"))
    if got.returncode or not archives:
        pytest.skip(f"pip can't download the source of {version}")
    with tarfile.open(archives[0]) as archive:
        archive.extractall(tmp_path, filter="data")
    return next(tmp_path.glob("*/tests"))


@pytest.mark.nightly
def test_nothing_in_the_models_of_djangos_own_tests(source: Path, fresh_database: str) -> None:
    script = BASE_DIR / "tests" / "schema" / "django_models.py"
    variables = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    answer = subprocess.run(
        [sys.executable, str(script), str(source), database_url(fresh_database)],
        env=variables | {"PYTHONPATH": str(BASE_DIR)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    *differences, tables = answer.stdout.splitlines()
    assert differences == []
    assert int(tables.partition(" ")[0]) > 1_000
