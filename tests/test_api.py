"""The functions for Python code: that they are what the commands call, and when they can be imported."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from project.env import BASE_DIR
from sqlmigrations import api
from sqlmigrations.exceptions import ConfigurationError, RunLockHeld
from sqlmigrations.output import documents
from sqlmigrations.plan import Status
from sqlmigrations.runner.lock import RUN_CLASS, key_of
from sqlmigrations.schema.difference import Source
from sqlmigrations.service.apply import ApplyOptions
from sqlmigrations.service.health import HealthOptions
from sqlmigrations.service.results import Finished, Report
from sqlmigrations.service.revert import RevertOptions
from sqlmigrations.service.validate import ValidateOptions
from tests.databases import session
from tests.helpers import applysql, plain, put, run_sql, states, tables

FILES = {"001.sql": "CREATE TABLE one (id int);", "001.down.sql": "DROP TABLE one;", "002.sql": "SELECT 1/0;"}

FUNCTIONS = [api.plan, api.apply, api.plan_revert, api.revert, api.validate, api.health]

#: What a function takes beside its command's options, and which of these it leaves out.
OPTIONS: list[tuple[Callable[..., Any], type, set[str], set[str]]] = [
    (api.plan, ApplyOptions, {"findings"}, {"backup", "fail_fast", "gate", "lock_wait"}),
    (api.apply, ApplyOptions, {"progress"}, set()),
    (api.plan_revert, RevertOptions, set(), set()),
    (api.revert, RevertOptions, {"backup", "faked", "lock_wait", "progress"}, set()),
    (api.validate, ValidateOptions, set(), set()),
    (api.health, HealthOptions, {"progress"}, set()),
]


@pytest.mark.parametrize(
    ("function", "options", "more", "less"), OPTIONS, ids=lambda each: getattr(each, "__name__", "")
)
def test_the_arguments_are_the_options_of_the_service(
    function: Callable[..., Any], options: type, more: set[str], less: set[str]
) -> None:
    """With their defaults: a new option is not forgotten here."""
    given = {name: each.default for name, each in inspect.signature(function).parameters.items()}
    given["names"] = () if "names" in given else None
    fields = {field.name: field.default for field in dataclasses.fields(options)}
    assert set(given) - {"names"} - more == set(fields) - {"names"} - less
    assert {name: given[name] for name in fields if name in given} == {
        name: default for name, default in fields.items() if name in given
    }


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: each.__name__)
def test_every_argument_is_documented(function: Callable[..., Any]) -> None:
    described = (inspect.getdoc(function) or "").partition("Args:\n")[2].partition("\n\n")[0]
    assert re.findall(r"^ {4}(\w+): ", described, re.MULTILINE) == list(inspect.signature(function).parameters)


def test_what_the_module_holds() -> None:
    assert [name for name in api.__all__ if getattr(api, name, None) is None] == []
    assert {function.__name__ for function in FUNCTIONS} <= set(api.__all__)
    with pytest.raises(AttributeError, match=r"^module 'sqlmigrations.api' has no attribute 'Nothing'$"):
        getattr(api, "Nothing")  # noqa: B009 - a type checker knows that it isn't there


@pytest.mark.processes
def test_it_can_be_imported_before_django_is_ready() -> None:
    script = (
        "import sys, sqlmigrations.api\n"
        "print(sorted(name for name in sys.modules if name.startswith(('django', 'psycopg', 'sqlmigrations'))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=BASE_DIR, env={}, capture_output=True, text=True, check=True
    )
    own = "'sqlmigrations', 'sqlmigrations.api', 'sqlmigrations.exceptions', 'sqlmigrations.messages'"
    assert done.stdout == f"[{own}]\n"


# What the functions do


def test_a_plan_is_that_of_the_command(fresh_database: str, folder: Path) -> None:
    put(folder, FILES)
    report = api.plan(findings=True)
    assert [(step.name, step.status) for step in report.unfinished] == [
        ("001.sql", Status.PENDING),
        ("002.sql", Status.PENDING),
    ]
    told = documents.dumps(documents.of_plan(report, report.unfinished))
    assert json.loads(plain(told)) == json.loads(applysql("--plan", "--format", "json").out)
    assert tables() == []


def test_apply_and_revert(fresh_database: str, folder: Path) -> None:
    put(folder, FILES)
    told: list[Report] = []
    result = api.apply("001", progress=told.append)
    assert [(file.name, file.status) for file in result.files] == [
        ("001.sql", Status.APPLIED),
        ("002.sql", Status.PENDING),
    ]
    assert [one.result.name for one in told if isinstance(one, Finished)] == ["001.sql", "002.sql"]
    failed = api.apply().files[-1]
    assert (failed.status, failed.error is not None and failed.error.sqlstate) == (Status.FAILED, "22012")
    assert [one.name for one in api.plan_revert(last=1).reversals] == ["001.sql"]
    assert tables() == ["one"]
    reverted = api.revert("001")
    assert [(file.name, file.status) for file in reverted.files] == [("001.sql", Status.REVERTED)]
    assert tables() == []
    assert states() == {"001.sql": "reverted", "002.sql": "failed"}


def test_a_file_that_was_never_run_is_reverted_only_with_consent(fresh_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE one (id int);", "001.down.sql": "SELECT 1;"})
    api.apply(fake=True)
    with pytest.raises(ConfigurationError) as caught:
        api.revert("001")
    assert str(caught.value) == (
        "001.sql was recorded without being run: its down script may undo what it never did.\n"
        "  If its down script fits all the same, give faked=True."
    )
    assert [file.status for file in api.revert("001", faked=True).files] == [Status.REVERTED]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"to": "001", "baseline": "001"}, "--to and --baseline say two different things.\n  Give one of them."),
        ({"force": True}, "--force goes with --seed."),
    ],
)
def test_what_contradicts_itself_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{re.escape(message)}$"):
        api.apply(**arguments)


def test_it_refuses_to_run_inside_a_transaction(fresh_database: str, folder: Path, django_db_blocker: Any) -> None:
    put(folder, FILES)
    with (
        django_db_blocker.unblock(),
        transaction.atomic(),
        pytest.raises(ConfigurationError, match="inside a transaction"),
    ):
        api.apply()


def test_the_lock_is_respected(fresh_database: str, folder: Path) -> None:
    put(folder, FILES)
    with session() as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [RUN_CLASS, key_of("public")])
        with pytest.raises(RunLockHeld):
            api.apply(lock_wait=0)
    assert tables() == []


def test_validate_and_health(fresh_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE one (id int PRIMARY KEY);"})
    api.apply()
    assert api.validate(models=False).differences == ()
    run_sql("CREATE TABLE by_hand (id int)")
    (difference,) = api.validate(models=False).differences
    assert (difference.source, difference.object) == (Source.SNAPSHOT, "public.by_hand")
    (result,) = api.health(only=["no_primary_key"]).results
    assert [str(finding.subject) for finding in result.findings] == ["public.by_hand"]
