"""No option is ignored in silence: what has no meaning beside another is refused before anything is asked or done."""

from __future__ import annotations

import argparse

import pytest

from tests.docs.test_reference import COMMANDS, Bare, arguments
from tests.helpers import Ran, manage

#: Options that have a meaning whatever else is asked for, or are harmless without; each command looks itself with
#: which others --all-databases and --jobs go.
EVERYWHERE = {"database", "all_databases", "jobs", "format", "lock_wait", "interactive"}

#: What has no ways: every option of theirs goes with every other, or argparse tells.
WITHOUT_WAYS = {"makesql", "performaction"}

ONE = "Leave one of them out."

LISTS = "--list, which only lists files with their states."
CHECKS = "--check, which only says whether files are applied."
PLANS = "--plan, which only shows what a run would do."
REHEARSES = "--rehearse, which runs the files elsewhere and keeps nothing of it."
FAKES = "--fake, which records files without running them."
BASELINES = "--baseline, which records files without running them."
ADOPTS = "--adopt, which takes over another tool's history as it is."
REPAIRS = "--repair, which settles whatever files and history disagree about."
RESUMES = "--resume-at, which goes on with one file."
RESTARTS = "--restart, which begins one file again."
EXPORTS = "--export, which writes the events and validates nothing."
LOGS = "--ddl-log, which is about the log of changes and validates nothing."
ACCEPTS = "--accept, which takes the schema as it is."
VERSIONS = "--versions, which only lists what runs have left."
COVERAGE = "--coverage, which only counts what is compared."
BETWEEN = "--between, which compares two versions that were kept."
HEALTH_LIST = "--list, which asks no database."
EXPLAINS = "--explain, which asks no database."
ONLY = "--only, which names the checks."
REVERT_PLAN = "--plan, which only shows what would be reverted."

REFUSED = [
    ("applysql --list --lint", f"--lint has no meaning with {LISTS}"),
    ("applysql --list --gate", f"--gate has no meaning with {LISTS}"),
    ("applysql --list --fake", f"--fake has no meaning with {LISTS}"),
    ("applysql --list --baseline 1", f"--baseline has no meaning with {LISTS}"),
    ("applysql --list --force --seed x", f"--force has no meaning with {LISTS}"),
    ("applysql --check --gate", f"--gate has no meaning with {CHECKS}"),
    ("applysql --check --fake", f"--fake has no meaning with {CHECKS}"),
    ("applysql --check --reason x", f"--reason has no meaning with {CHECKS}"),
    ("applysql --plan --backup", f"--backup has no meaning with {PLANS}"),
    ("applysql --plan --fail-fast", f"--fail-fast has no meaning with {PLANS}"),
    ("applysql --plan --gate", f"--gate has no meaning with {PLANS}"),
    ("applysql --plan --keep", f"--keep has no meaning with {PLANS}"),
    ("applysql --rehearse --lint", f"--lint has no meaning with {REHEARSES}"),
    ("applysql --rehearse --fake", f"--fake has no meaning with {REHEARSES}"),
    ("applysql --rehearse --baseline 1", f"--baseline has no meaning with {REHEARSES}"),
    ("applysql --rehearse --fail-fast", f"--fail-fast has no meaning with {REHEARSES}"),
    ("applysql --fake --lint", f"--lint has no meaning with {FAKES}"),
    ("applysql --fake --fail-fast", f"--fail-fast has no meaning with {FAKES}"),
    ("applysql --baseline 1 --lint", f"--lint has no meaning with {BASELINES}"),
    ("applysql --adopt t --check", f"--check has no meaning with {ADOPTS}"),
    ("applysql --adopt t --list", f"--list has no meaning with {ADOPTS}"),
    ("applysql --adopt t --rehearse", f"--rehearse has no meaning with {ADOPTS}"),
    ("applysql --adopt t --repair", f"--repair has no meaning with {ADOPTS}"),
    ("applysql --adopt t --reason x", f"--reason has no meaning with {ADOPTS}"),
    ("applysql --adopt t 001", f"NAME has no meaning with {ADOPTS}"),
    ("applysql --repair 001", f"NAME has no meaning with {REPAIRS}"),
    ("applysql --repair --check", f"--check has no meaning with {REPAIRS}"),
    ("applysql --repair --fake", f"--fake has no meaning with {REPAIRS}"),
    ("applysql --repair --backup", f"--backup has no meaning with {REPAIRS}"),
    ("applysql 001 --resume-at 2 --reason x --plan", f"--plan has no meaning with {RESUMES}"),
    ("applysql 001 --resume-at 2 --reason x --fake", f"--fake has no meaning with {RESUMES}"),
    ("applysql 001 --resume-at 2 --reason x --to 2", f"--to has no meaning with {RESUMES}"),
    ("applysql 001 --restart --reason x --check", f"--check has no meaning with {RESTARTS}"),
    ("applysql --reason x", "--reason goes with --repair or --resume-at or --restart."),
    ("applysql --in-place", "--in-place goes with --rehearse."),
    ("applysql --keep", "--keep goes with --rehearse."),
    ("revertsql --plan --last 1 --backup", f"--backup has no meaning with {REVERT_PLAN}"),
    ("validateschema --export - --history", f"--history has no meaning with {EXPORTS}"),
    ("validateschema --export - --accept", f"--accept has no meaning with {EXPORTS}"),
    ("validateschema --ddl-log show --fix", f"--fix has no meaning with {LOGS}"),
    ("validateschema --accept --reason x --verify", f"--verify has no meaning with {ACCEPTS}"),
    ("validateschema --accept --reason x --keep", f"--keep has no meaning with {ACCEPTS}"),
    ("validateschema --versions --coverage", f"--coverage has no meaning with {VERSIONS}"),
    ("validateschema --coverage --replay", f"--replay has no meaning with {COVERAGE}"),
    ("validateschema --between 1 2 --fix", f"--fix has no meaning with {BETWEEN}"),
    ("validateschema --between 1 2 --keep", f"--keep has no meaning with {BETWEEN}"),
    ("validateschema --reason x", "--reason goes with --accept."),
    ("dbhealth --list --only x", f"--only has no meaning with {HEALTH_LIST}"),
    ("dbhealth --list --all-databases", f"--all-databases has no meaning with {HEALTH_LIST}"),
    ("dbhealth --list --sql", f"--sql has no meaning with {HEALTH_LIST}"),
    ("dbhealth --explain x --fail-on never", f"--fail-on has no meaning with {EXPLAINS}"),
    ("dbhealth --explain x --tag data", f"--tag has no meaning with {EXPLAINS}"),
    ("dbhealth --only x --tag data", f"--tag has no meaning with {ONLY}"),
    ("dbhealth --only x --gate before", f"--gate has no meaning with {ONLY}"),
]


@pytest.mark.parametrize(("line", "words"), REFUSED)
def test_what_would_be_ignored_is_refused(line: str, words: str) -> None:
    """No test database is open here: nothing is asked before."""
    hint = "" if " goes with " in words else f"  {ONE}\n"
    assert manage(*line.split()) == Ran("", f"CommandError: {words}\n{hint}", 2)


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - WITHOUT_WAYS))
def test_every_option_is_judged(name: str) -> None:
    """A new one has to be put into the ways in which it has a meaning, or above."""
    command = COMMANDS[name]()
    django = arguments(Bare(), name)
    parser = command.create_parser("manage.py", name)
    ours = [
        action.dest
        for action in parser._actions
        if not isinstance(action, argparse._HelpAction) and not django.intersection(action.option_strings)
    ]
    judged = {option for way in command.ways for option in (way.option, *way.takes)} - {""}
    assert set(ours) == judged | EVERYWHERE.intersection(ours)
    assert command.ways[-1].option == ""
    for option in judged:
        assert parser.get_default(option) in (None, False, "", []), option


@pytest.mark.parametrize("format", ["github", "prometheus"])
def test_what_asks_no_database_has_no_metrics(format: str) -> None:
    words = f"--list and --explain ask no database: there is nothing to write for {format}."
    assert manage("dbhealth", "--list", "--format", format) == Ran(
        "", f"CommandError: {words}\n  They take --format text and json.\n", 2
    )


def test_an_export_has_one_format() -> None:
    answer = manage("validateschema", "--export", "-", "--format", "github")
    words = "--export writes JSON lines, whatever --format says."
    assert answer == Ran("", f"CommandError: {words}\n  Leave it out.\n", 2)
