"""What a forked process does: it points Django at a database and runs one command, as from a command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.conf import settings  # noqa: E402 - after the set-up
from django.core.management import load_command_class  # noqa: E402
from django.db import connections  # noqa: E402

# What every command imports, so that a forked process has it already.
import sqlmigrations.management.commands.applysql  # noqa: E402
import sqlmigrations.management.commands.revertsql  # noqa: E402
import sqlmigrations.management.commands.validateschema  # noqa: E402
import sqlmigrations.runner.stepwise  # noqa: E402
import sqlmigrations.service.ddl_log  # noqa: E402
import sqlmigrations.service.lint  # noqa: E402
import sqlmigrations.service.snapshot  # noqa: E402, F401


def main(
    name: str, arguments: tuple[str, ...], database: dict[str, Any], overrides: dict[str, Any], out: Path, err: Path
) -> None:
    """Run one command; its exit code is that of the process."""
    for number, path in ((1, out), (2, err)):
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.dup2(descriptor, number)
        os.close(descriptor)
    for key, value in overrides.items():
        setattr(settings, key, value)
    connections["default"].settings_dict.update(database)
    command = load_command_class("sqlmigrations", name)
    command.run_from_argv(["manage.py", name, *arguments, "--no-color"])
