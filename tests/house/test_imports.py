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
from django.core.management import call_command

from project.env import BASE_DIR
from project.postgres import database_url
from tests.helpers import database_name, put

LOADED = """
import json, os, sys
import django
django.setup()
from django.core.management import call_command
command = sys.argv[1:]
if command:
    call_command(*command, verbosity=0)
packages = {"sqlmigrations", "rich", "pygments", "pgparse", "opentelemetry"}
print("\\n", json.dumps(sorted(name for name in sys.modules if name.split(".")[0] in packages)))
"""

#: What only its own commands and pages need.
ROOMS = ("sqlmigrations.health", "sqlmigrations.lint", "sqlmigrations.schema")
LIBRARIES = ("rich", "pygments", "pgparse", "opentelemetry")


def loaded_by(folder: Path, *command: str) -> list[str]:
    """Return the modules of ours, and of the libraries that take long, that a process has loaded at its end."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.process_settings",
        "DATABASE_URL": database_url(database_name()),
        "SQL_FOLDER": str(folder),
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
    return loaded


def among(loaded: list[str], packages: tuple[str, ...]) -> list[str]:
    below = tuple(f"{package}." for package in packages)
    return [name for name in loaded if name in packages or name.startswith(below)]


@pytest.mark.processes
@pytest.mark.parametrize(
    ("command", "most", "unloaded"),
    [
        ((), 33, (*ROOMS, *LIBRARIES, "sqlmigrations.service", "sqlmigrations.runner", "sqlmigrations.plan")),
        (("check",), 63, (*LIBRARIES, "sqlmigrations.health", "sqlmigrations.lint", "sqlmigrations.runner")),
        (("applysql",), 110, (*ROOMS, *LIBRARIES)),
    ],
    ids=["start", "check", "applysql-without-files"],
)
@pytest.mark.usefixtures("fresh_database")
def test_only_what_is_used_is_loaded(
    command: tuple[str, ...], most: int, unloaded: tuple[str, ...], tmp_path: Path
) -> None:
    """The start of any command loads models and admin; each command loads what it uses."""
    loaded = loaded_by(tmp_path, *command)
    assert among(loaded, unloaded) == []
    ours = among(loaded, ("sqlmigrations",))
    assert len(ours) <= most, ours


#: What a run that finds nothing to do must not load: what opens a run, reads statements, sends them.
WORK = (
    "sqlmigrations.service.application",
    "sqlmigrations.service.run",
    "sqlmigrations.files.splitter",
    "sqlmigrations.files.tokens",
    "sqlmigrations.runner.executor",
    "sqlmigrations.runner.failure",
    "sqlmigrations.runner.lock",
)


@pytest.mark.processes
@pytest.mark.usefixtures("fresh_database")
def test_a_run_with_nothing_to_do_loads_nothing_to_do_it_with(folder: Path) -> None:
    """Most deployments bring no new file, and pay for what is loaded all the same."""
    put(folder, {"001.sql": "CREATE TABLE one (id int); -- of a kind\n"})
    call_command("applysql", verbosity=0)
    loaded = loaded_by(folder, "applysql")
    assert among(loaded, (*ROOMS, *LIBRARIES, *WORK)) == []
    ours = among(loaded, ("sqlmigrations",))
    assert len(ours) <= 69, ours


#: What a run must not load that has a file: what compares schemas, and what is for people to look at.
COMPARING = (
    "sqlmigrations.schema.compare",
    "sqlmigrations.schema.deparse",
    "sqlmigrations.schema.live",
    "sqlmigrations.schema.pairing",
    "sqlmigrations.schema.fix",
    "sqlmigrations.health",
    "sqlmigrations.lint",
    "rich",
    "pygments",
)


@pytest.mark.processes
@pytest.mark.usefixtures("fresh_database")
def test_a_run_of_one_file_keeps_the_schema_and_compares_nothing(folder: Path) -> None:
    """What is loaded once costs a run of one file as much as the file."""
    call_command("applysql", verbosity=0)
    put(folder, {"001.sql": "CREATE TABLE one (id int); -- of a kind\n"})
    loaded = loaded_by(folder, "applysql")
    assert among(loaded, COMPARING) == []
    ours = among(loaded, ("sqlmigrations",))
    assert len(ours) <= 129, ours
