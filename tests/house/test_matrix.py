"""Tests that tox.ini and the workflow name the Pythons, Djangos and servers that the package says it is made for."""

from __future__ import annotations

import configparser
import itertools
import re
import tomllib
from typing import Any

import pytest
import yaml

from project.env import BASE_DIR

PROJECT = tomllib.loads((BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORKFLOW = yaml.safe_load((BASE_DIR / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8"))
#: Django's own: which Pythons a release runs on, https://docs.djangoproject.com/en/stable/faq/install/.
DJANGO_WANTS = {"52": (3, 11), "60": (3, 12), "61": (3, 12), "main": (3, 12)}


def tox() -> configparser.ConfigParser:
    """Return what tox.ini holds."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(BASE_DIR / "tox.ini", encoding="utf-8")
    return parser


def environments() -> set[tuple[str, str]]:
    """Return the Pythons and Djangos of tox.ini, its braces written out."""
    lines = tox()["tox"]["env_list"].split()
    parts = [re.split(r"[{}]", line) for line in lines]
    choices = [[part.split(",") for part in line] for line in parts]
    names = ["".join(name) for line in choices for name in itertools.product(*line)]
    matches = (re.fullmatch(r"py(3\d+)-django(\w+)", name) for name in names)
    return {(found[1], found[2]) for found in matches if found}


def jobs() -> dict[str, Any]:
    """Return the jobs of the workflow."""
    found: dict[str, Any] = WORKFLOW["jobs"]
    return found


def classified(what: str) -> set[str]:
    """Return the versions that the package's classifiers name of ``what``, without their dots."""
    found = (re.fullmatch(rf"{re.escape(what)} :: (\d\.\d+)", line) for line in PROJECT["classifiers"])
    return {match[1].replace(".", "") for match in found if match}


def test_tox_has_what_the_classifiers_name() -> None:
    assert {python for python, _django in environments()} == classified("Programming Language :: Python")
    assert {django for _python, django in environments()} - {"main"} == classified("Framework :: Django")


def test_tox_asks_for_what_django_supports() -> None:
    assert [pair for pair in environments() if (3, int(pair[0][1:])) < DJANGO_WANTS[pair[1]]] == []


def test_tox_says_which_django_each_one_is() -> None:
    named = dict(re.findall(r"^django(\w+): (.+)$", tox()["testenv"]["deps"], re.MULTILINE))
    assert set(named) == {django for _python, django in environments()}
    for django, wanted in named.items():
        if django != "main":
            assert wanted.startswith(f"Django>={django[0]}.{django[1]},<")


def test_the_workflow_runs_all_of_tox() -> None:
    matrix = jobs()["django"]["strategy"]["matrix"]
    every = set(itertools.product(matrix["python"], matrix["django"]))
    left_out = {(pair["python"], pair["django"]) for pair in matrix["exclude"]}
    assert left_out <= every
    assert {(python.replace(".", ""), django) for python, django in every - left_out} == environments()


def test_the_workflow_runs_every_server_that_the_readme_names() -> None:
    (first, last) = re.findall(r"PostgreSQL (\d+) to (\d+)", (BASE_DIR / "README.md").read_text(encoding="utf-8"))[0]
    servers = jobs()["postgresql"]["strategy"]["matrix"]["postgresql"]
    assert servers == [str(number) for number in range(int(first), int(last) + 1)]


@pytest.mark.parametrize("name", list(jobs()))
def test_a_job_is_whole(name: str) -> None:
    job = jobs()[name]
    assert job["runs-on"]
    targets = set(re.findall(r"^([a-z0-9-]+):", (BASE_DIR / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for step in job["steps"]:
        assert set(step) & {"uses", "run"}
        assert re.fullmatch(r"[\w-]+/[\w-]+@v\d+", step.get("uses", "a/b@v1"))
        if step.get("run", "").startswith("make "):
            assert set(step["run"].split()[1:]) <= targets


def test_the_workflow_begins_with_a_change() -> None:
    # YAML 1.1 takes the key `on` for a truth value.
    assert set(WORKFLOW[True]) == {"push", "pull_request", "schedule"}
