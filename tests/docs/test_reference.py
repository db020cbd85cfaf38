"""Tests that the reference names all there is and nothing else, and that links between pages lead somewhere."""

from __future__ import annotations

import argparse
import ast
import inspect
import io
import re
import uuid
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.dispatch import Signal

from sqlmigrations import signals
from sqlmigrations.conf import NAMES, PREFIX, Settings
from sqlmigrations.exceptions import InvalidFiles, Problem
from sqlmigrations.files.directives import KEYS
from sqlmigrations.files.kinds import Kind
from sqlmigrations.files.scripts import SQLFile
from sqlmigrations.health.base import Finding, Fix, FixKind, Origin, Result, Subject
from sqlmigrations.health.base import Severity as HealthSeverity
from sqlmigrations.health.base import Status as HealthStatus
from sqlmigrations.health.structural.keys import NoPrimaryKey
from sqlmigrations.health.trends import FileTime, IdTrend, SequenceTrend, TableTrend, Trends
from sqlmigrations.history import Record
from sqlmigrations.lint.base import Finding as LintFinding
from sqlmigrations.lint.linter import RULES
from sqlmigrations.management.commands import applysql, dbhealth, makesql, performaction, revertsql, validateschema
from sqlmigrations.management.lint import make_parser
from sqlmigrations.models import EventType, MigrationEvent, MigrationRecord, SchemaChange, State
from sqlmigrations.output import documents, prometheus
from sqlmigrations.output.exit_codes import ExitCode
from sqlmigrations.plan import Missing, Plan, Status, Step
from sqlmigrations.runner.failure import Failure
from sqlmigrations.runner.held_locks import HeldLock
from sqlmigrations.runner.measurements import Block, MeasuredStatement, Rehearsed
from sqlmigrations.runner.modes import Mode
from sqlmigrations.runner.table_work import Work, WorkKind
from sqlmigrations.runner.watcher import Blocker
from sqlmigrations.schema.catalog import Catalog, Identity
from sqlmigrations.schema.ddl_log import Condition, LoggedChange
from sqlmigrations.schema.difference import Change, Difference, Severity, Skipped, Source
from sqlmigrations.schema.ignore import Rule
from sqlmigrations.schema.snapshot import Version
from sqlmigrations.service.adopt import Adoption, AdoptionPlan
from sqlmigrations.service.ddl_log import DDLLogReport
from sqlmigrations.service.gate import GateReport
from sqlmigrations.service.health import HealthReport, Known, summarize
from sqlmigrations.service.lint import LintReport
from sqlmigrations.service.makesql import Made as MadeFiles
from sqlmigrations.service.prediction import LockPrediction, Prediction
from sqlmigrations.service.rehearse import FileRehearsal, Over, RehearsalReport, Where
from sqlmigrations.service.repair import Repair, RepairKind, RepairPlan
from sqlmigrations.service.results import FileResult, PlanReport, RunResult
from sqlmigrations.service.revert import Reversal, RevertPlan, RevertResult
from sqlmigrations.service.validate import Origin as Made
from sqlmigrations.service.validate import ValidationReport
from sqlmigrations.service.versions import Accepted, VersionsReport
from tests.docs import health_page
from tests.docs.pages import DOCS, PAGES, anchors, links, prose, sections
from tests.helpers import applysql as run_applysql
from tests.helpers import put, rows

COMMANDS = {
    "applysql": applysql.Command,
    "dbhealth": dbhealth.Command,
    "makesql": makesql.Command,
    "performaction": performaction.Command,
    "revertsql": revertsql.Command,
    "validateschema": validateschema.Command,
}


def relative(page: Path) -> str:
    """Return a page's path as a test's name."""
    return str(page.relative_to(DOCS.parent))


# Commands


class Bare(BaseCommand):
    """A command with Django's own options alone."""


def arguments(command: BaseCommand, name: str) -> set[str]:
    """Return the flags of a command; those that take a NAME without a flag as ``NAME ...``."""
    return arguments_of(command.create_parser("manage.py", name))


def arguments_of(parser: argparse.ArgumentParser) -> set[str]:
    """Return the flags that a parser knows."""
    kept = [action for action in parser._actions if not isinstance(action, argparse._HelpAction)]
    return {spelled for action in kept for spelled in action.option_strings or [f"{action.metavar} ..."]}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_flag_is_in_the_reference(name: str) -> None:
    page = sections("commands")
    ours = arguments(COMMANDS[name](), name) - arguments(Bare(), name)
    documented = {*page["All commands"].named(), *page[name].named()}
    assert documented == ours


def test_every_flag_of_the_linter_is_in_the_reference() -> None:
    assert set(sections("commands")["sqlmigrations-lint"].named()) == arguments_of(make_parser())


def test_every_command_is_in_the_reference() -> None:
    folder = Path(applysql.__file__).parent
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert modules == set(COMMANDS)
    assert modules <= set(sections("commands"))


def test_every_state_of_a_file_is_in_the_reference() -> None:
    assert sorted(sections("commands")["States of a file"].named()) == sorted(Status)


# Settings, directives, exit codes, events, signals


def test_every_setting_is_in_the_reference_with_its_default() -> None:
    documented = {
        title.removeprefix(PREFIX): ast.literal_eval(re.findall(r"^Default: `(.+)`$", section.text, re.MULTILINE)[0])
        for title, section in sections("settings").items()
        if title.startswith(PREFIX)
    }
    assert documented == {name: vars(Settings)[name] for name in NAMES}


def test_every_setting_is_read() -> None:
    package = Path(signals.__file__).parent
    sources = [path.read_text(encoding="utf-8") for path in package.rglob("*.py") if path.parent.name != "checks"]
    sources.append((package / "checks" / "databases.py").read_text(encoding="utf-8"))
    assert [name for name in sorted(NAMES) if not any(f"settings.{name}" in source for source in sources)] == []


def test_every_directive_is_in_the_reference() -> None:
    assert list(sections("directives"))[1:] == list(KEYS)


def test_every_exit_code_is_in_the_reference() -> None:
    rows = [row for row in sections("exit-codes")["Exit codes"].rows() if row[0].isdecimal()]
    assert {row[1].strip("`"): int(row[0]) for row in rows} == dict(ExitCode.__members__)


@pytest.mark.parametrize(
    ("title", "names"),
    [
        ("Event types", EventType.values),
        ("Columns of an event", [field.name for field in MigrationEvent._meta.fields]),
        ("Columns of a record", [field.name for field in MigrationRecord._meta.fields]),
        ("States of a record", State.values),
        ("Columns of a schema change", [field.name for field in SchemaChange._meta.fields]),
    ],
)
def test_the_history_is_in_the_reference(title: str, names: list[str]) -> None:
    assert sorted(sections("events")[title].named()) == sorted(names)


def test_the_details_of_events_are_in_the_reference(fresh_database: str, folder: Path) -> None:
    page = {row[0].strip("`"): set(re.findall(r"`(\w+)`", row[2])) for row in sections("events")["Event types"].rows()}
    put(folder, {"001.sql": "SELECT 1;", "002.sql": "SELECT 1/0;", "003.sql": "SELECT 1;\nSELECT nothing;"})
    assert run_applysql().code == 1
    assert run_applysql("--fake").code == 0
    found = rows("SELECT type, jsonb_object_keys(details) FROM sqlmigrations_migrationevent")
    assert {type for type, _key in found} == {"started", "applied", "failed", "baselined"}
    assert [(type, key) for type, key in found if key not in page[type]] == []


def signal_arguments() -> dict[str, set[str]]:
    """Return the arguments of each signal, as the reference names them."""
    rows = [row for row in sections("signals")["Signals"].rows() if len(row) == 3 and row[0].startswith("`")]
    return {row[0].strip("`"): set(re.findall(r"`(\w+)`", row[2])) for row in rows}


def test_every_signal_is_in_the_reference() -> None:
    assert set(signal_arguments()) == {name for name, value in vars(signals).items() if isinstance(value, Signal)}


def test_signals_carry_the_arguments_of_the_reference(fresh_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "SELECT 1;", "001.down.sql": "SELECT 1;", "002.sql": "SELECT 1/0;"})
    received: dict[str, set[str]] = {}

    def receiver(sender: Any, signal: Signal, **given: Any) -> None:
        name = next(name for name, value in vars(signals).items() if value is signal)
        received[name] = set(given)

    connected = [value for value in vars(signals).values() if isinstance(value, Signal)]
    for signal in connected:
        signal.connect(receiver)
    try:
        assert run_applysql().code == 1
        call_command("revertsql", "001", interactive=False, stdout=io.StringIO())
    finally:
        for signal in connected:
            signal.disconnect(receiver)
    assert received == signal_arguments()


def test_arguments_of_signals_are_explained() -> None:
    names = set(sections("signals")["Signals"].named())
    assert names == {"sender", *signal_arguments(), *set().union(*signal_arguments().values())}


# JSON documents

_BLOCKER = Blocker(1, "role", "host", "application", "idle in transaction", 1.0, "SELECT 1")
_FAILURE = Failure("message", "001.sql", 1, 1, "source", "SELECT", "42P01", blockers=(_BLOCKER,))
_RESULT = FileResult("001.sql", Kind.VERSIONED, Status.FAILED, error=_FAILURE, notes=("note",))
_FILE = SQLFile("001.sql", Path("001.sql"))
_LINT_FINDING = LintFinding(RULES["drop-table"], "001.sql", 1, 1, "object", "message", RULES["drop-table"].severity)
_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_RECORD = Record(
    filename="001.sql",
    kind=Kind.VERSIONED,
    state=State.APPLIED,
    checksum="v1:0",
    executed_at=_NOW,
    attempted_at=_NOW,
    execution_time_ms=1.0,
    error_message="",
    error_sqlstate="",
    error_line=None,
    statements_done=1,
    statements_total=1,
    applied_by="role",
    progress=None,
)
_PLAN = Plan((Step(_FILE, Status.PENDING, runs=True),), (Missing("002.sql", Kind.VERSIONED),))
_CHANGE = Change(_NOW, "role", "application", "ALTER TABLE")
_DIFFERENCE = Difference(
    Source.HISTORY, "file", "001.sql", "state", "applied", "failed", Severity.ERROR, "fix", _CHANGE
)
_LOGGED = LoggedChange(_NOW, 1, "role", "", "psql", "", 1, "", "CREATE TABLE", "table", "public.t", False, "sql", "")


def run_document() -> documents.Document:
    """Return the document of a run, with everything in it."""
    backwards = documents.of_run("revertsql", RevertResult("default", (_RESULT,), "head"))
    forwards = documents.of_run("applysql", RunResult("default", uuid.uuid4(), (_RESULT,), 1, "head"))
    assert paths(backwards) == paths(forwards)
    return forwards


def plan_document() -> documents.Document:
    """Return the document of a plan with a file and a missing one."""
    return documents.of_plan(PlanReport("default", _PLAN, "head", lint=LintReport((_LINT_FINDING,))), _PLAN.steps)


def revert_document() -> documents.Document:
    """Return the document of what would be reverted."""
    reversal = Reversal("001.sql", Kind.VERSIONED, _RECORD, _FILE, "as kept", "diff")
    return documents.of_revert_plan(RevertPlan("default", (reversal,)))


def validation_document() -> documents.Document:
    """Return the document of a validation that found something and skipped something."""
    rule = Rule("why", object="x", until=date(2030, 12, 31))
    report = ValidationReport(
        "default",
        (_DIFFERENCE,),
        {"file": 1},
        {"view": 1},
        (Skipped("what", "why", "how"),),
        ignored=((_DIFFERENCE, rule),),
        expired=(rule,),
        origins={_DIFFERENCE.object: Made("001.sql", 1)},
    )
    return documents.of_validation(report)


_FINDING = Finding(
    subject=Subject("table", "public", "t"),
    severity=HealthSeverity.WARNING,
    observed="observed",
    fixes=(Fix(FixKind.SQL, "fix"),),
    origin=Origin("001.sql", 1),
    details=("detail",),
)
_GONE = Known("no_primary_key", "public.gone", HealthSeverity.WARNING)


def health_report() -> HealthReport:
    """Return a look at health, with everything in it."""
    result = Result(check=NoPrimaryKey(), status=HealthStatus.WARNING, examined=1, findings=(_FINDING,))
    trends = Trends(
        since=_NOW,
        ids=(IdTrend("multixacts", 1, 1.0, 1.0),),
        sequences=(SequenceTrend("public", "s", 1, 1.0, 1.0),),
        tables=(TableTrend("public", "t", 1, 1.0),),
        files=(FileTime("001.sql", 2, 1.0, _NOW, 1.0, 1, 1.0),),
    )
    return HealthReport("default", (result,), _NOW, gone=(_GONE,), summary=summarize([result]), trends=trends)


def health_document() -> documents.Document:
    """Return its document."""
    return documents.of_health(health_report())


def versions_document() -> documents.Document:
    """Return the document of a version of the schema."""
    version = Version(1, _NOW, "run", ("001.sql",), "postgres", {"table": 1})
    return documents.of_versions(VersionsReport("default", (version,)))


def error_document() -> documents.Document:
    """Return the document of invalid files."""
    return documents.of_error("applysql", "default", InvalidFiles([Problem("message", "001.sql", 1, "hint")]))


#: Parts whose keys are counted things.
_COUNTS = (
    "summary",
    "examined",
    "not_compared",
    "versions[].objects",
    "known_checks[].thresholds",
    "known_checks[].sql",
)


def paths(value: Any, path: str = "") -> set[str]:
    """Return the places of all values in a document: ``files[].error.line``."""
    match value:
        case dict() if path in _COUNTS:
            return {f"{path}.*"}
        case dict():
            inner = {f"{path}.{key}" if path else key: item for key, item in value.items()}
            own = {path} if path.endswith((".error", ".changed", ".origin")) else set()
            return own.union(*(paths(item, key) for key, item in inner.items()))
        case list():
            return set().union(*(paths(item, f"{path}[]") for item in value))
    return {path}


def rehearsal_document() -> documents.Document:
    """Return the document of a rehearsal; the keys of an error are those of a run."""
    lock = HeldLock("public.users", "r", Mode.AccessExclusive)
    work = (Work(WorkKind.REWRITE, "users", "rewriting"),)
    statement = MeasuredStatement(1, 1, "SELECT 1", 1.0, 0, (lock,), work)
    run = Rehearsed("001.sql", True, 1.0, (statement,), (Block(lock, 1.0),), left_out=("line 1: CREATE ROLE",))
    over = (Over("public.users", "too long"),)
    said = (Prediction(1, 1, ("rule",), True, 1.0),)
    locks = (LockPrediction("public.users", Mode.Share, Mode.Share, ("rule",)),)
    result = FileRehearsal(
        "001.sql", Kind.VERSIONED, run, down=run, again=run, over=over, predictions=said, locks=locks
    )
    return documents.of_rehearsal(RehearsalReport("default", Where.SCHEMA, (result,), {}, ("note",)))


def made_documents() -> dict[str, documents.Document]:
    """Return one document of each kind, by the heading that describes it."""
    return {
        "A run": run_document(),
        "A plan": plan_document(),
        "What would be reverted": revert_document(),
        "A repair": documents.of_repair(
            RepairPlan("default", (Repair(RepairKind.ACCEPT, "001.sql", _RECORD, _FILE, "diff"),))
        ),
        "An adoption": documents.of_adoption(
            AdoptionPlan("default", "migrations", "goose", (Adoption("001.sql", _FILE, _NOW, 1.0, True, ""),), 0)
        ),
        "A rehearsal": rehearsal_document(),
        "A validation": validation_document(),
        "Versions of the schema": versions_document(),
        "What was accepted": documents.of_accepted(Accepted("default", 1, (_DIFFERENCE,), "head")),
        "Coverage": documents.of_coverage("default", Catalog({Identity("table", "x"): {}}, {"cast": 1})),
        "The DDL log": documents.of_ddl_log(DDLLogReport("default", Condition(True, ("x",)), changes=(_LOGGED,))),
        "A look at health": health_document(),
        "Health checks": documents.of_known("default", [NoPrimaryKey()]),
        "New files": documents.of_made(MadeFiles("001.sql", Path("001.sql"), Path("001.down.sql"), ("x",)), "default"),
        "An error": error_document(),
    }


@pytest.mark.parametrize("title", sorted(made_documents()))
def test_every_key_of_a_document_is_in_the_reference(title: str) -> None:
    page = sections("json")
    assert {*page["JSON documents"].named(), *page[title].named()} == paths(made_documents()[title])


def test_every_key_of_a_gate_is_in_the_reference() -> None:
    """A finding's are those of a look at health."""
    page = sections("json")
    prefix = "checks[].findings[]."
    of_finding = {key.removeprefix(prefix) for key in page["A look at health"].named() if key.startswith(prefix)}
    documented = {*page["What a gate found"].named(), *(f"gate.new[].{key}" for key in of_finding)}
    assert documented == paths(documents.of_gate(GateReport((("no_primary_key", _FINDING),), (_GONE,))))


def test_the_document_of_several_databases_is_in_the_reference() -> None:
    page = sections("json")
    several = documents.of_all("applysql", [{}])
    assert {*page["JSON documents"].named(), *page["Several databases"].named()} - {"database"} == {
        f"{key}[]" if isinstance(value, list) else key for key, value in several.items()
    }


def test_every_kind_of_document_is_tested() -> None:
    """A new one has to be added to those above."""
    makers = {name for name, value in vars(documents).items() if name.startswith("of_") and inspect.isfunction(value)}
    assert makers == {
        "of_all",
        "of_run",
        "of_revert_plan",
        "of_plan",
        "of_rehearsal",
        "of_repair",
        "of_adoption",
        "of_validation",
        "of_versions",
        "of_accepted",
        "of_coverage",
        "of_ddl_log",
        "of_error",
        "of_gate",
        "of_health",
        "of_known",
        "of_made",
    }


# Health checks


def test_the_page_of_health_checks_is_written_from_them() -> None:
    """Write it anew with ``python -m tests.docs.health_page``."""
    assert health_page.PAGE.read_text(encoding="utf-8") == health_page.page()


def test_every_metric_is_in_the_reference_with_its_labels() -> None:
    written = [re.match(r"(\w+)\{(.*)\} ", line) for line in prometheus.lines([health_report()])]
    labels = {match[1]: set(re.findall(r'(\w+)="', match[2])) - {"database"} for match in written if match}
    rows = sections("commands")["Metrics"].rows()
    assert {row[0].strip("`"): set(re.findall(r"`(\w+)`", row[1])) for row in rows} == labels


# Pages


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_lead_to_a_page_and_a_place(page: Path) -> None:
    broken = []
    for link in links(page):
        path, _, place = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (place and place not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_page_can_be_reached() -> None:
    """From the index, over any number of links."""
    waiting, reached = [DOCS / "index.md"], set()
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        targets = [(page.parent / link.partition("#")[0]).resolve() for link in links(page)]
        waiting += [target for target in targets if target.suffix == ".md" and target.exists()]
    assert [relative(page) for page in PAGES if page not in reached] == []


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_a_page_has_one_title(page: Path) -> None:
    assert len(re.findall(r"^# ", prose(page), re.MULTILINE)) == 1
