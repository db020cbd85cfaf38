"""What a process loads: every process of a project pays for what the app imports at its start.

Modules are counted, not milliseconds: the count is the same on every machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from project.env import BASE_DIR
from project.postgres import database_url
from tests.helpers import database_name

LOADED = """
import json, os, sys
sys.modules["opentelemetry"] = None  # most projects don't have it
import django
django.setup()
from django.core.management import call_command
command = sys.argv[1:]
if command:
    call_command(*command, verbosity=0)
packages = {"sqlmigrations", "rich", "pygments", "pgparse"}
print("\\n", json.dumps(sorted(name for name in sys.modules if name.split(".")[0] in packages)))
"""

#: What only its own commands and pages need.
ROOMS = ("sqlmigrations.health", "sqlmigrations.lint", "sqlmigrations.schema")
LIBRARIES = ("rich", "pygments", "pgparse")


@pytest.mark.processes
@pytest.mark.parametrize(
    ("command", "most", "unloaded"),
    [
        ((), 29, (*ROOMS, *LIBRARIES, "sqlmigrations.service", "sqlmigrations.runner", "sqlmigrations.plan")),
        (("check",), 62, (*LIBRARIES, "sqlmigrations.health", "sqlmigrations.lint", "sqlmigrations.runner")),
        (("applysql",), 89, (*ROOMS, *LIBRARIES)),
    ],
    ids=["start", "check", "applysql-with-nothing-to-do"],
)
@pytest.mark.usefixtures("fresh_database")
def test_only_what_is_used_is_loaded(
    command: tuple[str, ...], most: int, unloaded: tuple[str, ...], tmp_path: Path
) -> None:
    """The start of any command loads models and admin; each command loads what it uses."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.process_settings",
        "DATABASE_URL": database_url(database_name()),
        "SQL_FOLDER": str(tmp_path),
    }
    told = subprocess.run(
        [sys.executable, "-c", LOADED, *command],
        env=environment,
        cwd=BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    loaded: list[str] = json.loads(told.stdout.splitlines()[-1])
    rooms = tuple(f"{room}." for room in unloaded)
    assert [name for name in loaded if name in unloaded or name.startswith(rooms)] == []
    ours = [name for name in loaded if name.startswith("sqlmigrations")]
    assert len(ours) <= most, ours
