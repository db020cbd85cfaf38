"""Tests of what a release says of itself: version, changes, licences, and how to take part."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from project.env import BASE_DIR
from sqlmigrations import __version__

PROJECT = tomllib.loads((BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PAGES = ("CONTRIBUTING.md", "SECURITY.md")


def text(page: str) -> str:
    """Return a page at the top of the repository."""
    return (BASE_DIR / page).read_text(encoding="utf-8")


# Version


def test_the_newest_changes_are_those_of_this_version() -> None:
    versions = re.findall(r"^## (\S+)(?: \((\d{4}-\d\d-\d\d)\))?$", text("CHANGELOG.md"), re.MULTILINE)
    released = [(version, date) for version, date in versions if version != "Unreleased"]
    assert released[0] == (__version__, "2026-11-22")
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


def test_the_classifiers_say_what_is_so() -> None:
    assert "Development Status :: 5 - Production/Stable" in PROJECT["classifiers"]
    versions = re.findall(r"Python :: 3\.(\d+)", " ".join(PROJECT["classifiers"]))
    assert PROJECT["requires-python"] == f">=3.{min(map(int, versions))}"


# Licences: of what is installed with the package, all the way down


def requirements(name: str, extra: str = "") -> Iterator[str]:
    """Yield what a distribution needs, and what that needs in turn."""
    needed = PROJECT["dependencies"] if name == PROJECT["name"] else metadata.requires(name) or []
    for requirement in map(Requirement, needed):
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield canonicalize_name(requirement.name)
            for wanted in ("", *requirement.extras):
                yield from requirements(requirement.name, wanted)


def licence(name: str) -> str:
    """Return what a distribution says of its licence, in one of the three places for it."""
    told = metadata.metadata(name)
    classifiers = [line.rpartition(" :: ")[2] for line in told.get_all("Classifier", []) if line.startswith("License")]
    expression, text = ((told.get_all(field) or [""])[0] for field in ("License-Expression", "License"))
    return expression or text.partition("\n")[0] or " and ".join(classifiers)


#: Licences that ask nothing of a project but to be named.
PERMISSIVE = re.compile(r"(BSD|MIT|Apache|PSF|ISC)\b.*", re.IGNORECASE)

#: Libraries under the LGPL: to be used as they are, which is how they are used.
LESSER = {"psycopg", "psycopg-binary"}


def test_nothing_that_is_needed_is_under_the_gpl() -> None:
    names = sorted(set(requirements("sqlmigrations")))
    assert {"django", "pgparse", "psycopg", "rich"} < set(names)
    for name in names:
        told = licence(name)
        if name in LESSER:
            assert re.search(r"LGPL|Lesser", told), (name, told)
        else:
            assert PERMISSIVE.match(told), (name, told)


# Pages


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_a_page_are_there(page: str) -> None:
    """Make's targets, and modules of ours that are run."""
    makefile = text("Makefile")
    targets = set(re.findall(r"^([a-z0-9-]+):.*##", makefile, re.MULTILINE))
    console = "\n".join(re.findall(r"```console\n(.*?)```", text(page), re.DOTALL))
    assert set(re.findall(r"\bmake ([a-z0-9-]+)", console)) <= targets
    for module in re.findall(r"python -m ([\w.]+)", console):
        assert (BASE_DIR / f"{module.replace('.', '/')}.py").exists(), module


def test_what_contributors_are_told_to_run_is_what_ci_runs() -> None:
    (needed,) = re.findall(r"^ci: ([a-z0-9 -]+?) ##", text("Makefile"), re.MULTILINE)
    for target in needed.split():
        told = "PostgreSQL 15" if target == "test-15" else f"make {target}"
        assert told in text("CONTRIBUTING.md"), target


@pytest.mark.parametrize("page", PAGES)
def test_links_of_a_page_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#\s]+)", text(page))
    assert [link for link in links if not (BASE_DIR / link).exists()] == []


def test_settings_that_are_named_exist() -> None:
    from sqlmigrations.conf import NAMES

    assert set(re.findall(r"SQLMIGRATIONS_([A-Z_]+)", text("SECURITY.md"))) <= NAMES
