"""``manage.py applysql``: apply SQL files, each exactly once.

Most calls only apply: what the other options need is imported when they are given.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from django.core.management.base import CommandParser
from django.core.management.color import no_style

from sqlmigrations.conf import settings
from sqlmigrations.exceptions import ConfigurationError
from sqlmigrations.files.kinds import Kind
from sqlmigrations.management.base import add_lock_wait, check_jobs
from sqlmigrations.management.several_databases import Answer, SeveralDatabasesCommand
from sqlmigrations.management.ways import Way
from sqlmigrations.models import ReportKind
from sqlmigrations.output import documents, exit_codes
from sqlmigrations.output.exit_codes import ExitCode
from sqlmigrations.output.screen import Screen
from sqlmigrations.output.text import by_state, check_lines, list_lines, plan_lines
from sqlmigrations.runner.modes import Mode
from sqlmigrations.service.apply import ApplyOptions, apply, plan_run
from sqlmigrations.service.databases import aliases_with_files
from sqlmigrations.service.results import PlanReport, Report

#: The options that say which files a run takes.
_CHOICE = frozenset({"names", "to", "seed", "force", "allow_late"})

#: The options that say how carefully it runs them.
_CARE = frozenset({"lint", "gate", "backup", "fail_fast"})

_MEASURES = frozenset({"with_data", "in_place", "keep", "max_block_ms", "max_lock"})

_WAYS = (
    Way("adopt", frozenset({"plan"}), "takes over another tool's history as it is"),
    Way("repair", frozenset({"plan", "reason"}), "settles whatever files and history disagree about"),
    Way("resume_at", frozenset({"names", "reason"}) | _CARE, "goes on with one file"),
    Way("restart", frozenset({"names", "reason"}) | _CARE, "begins one file again"),
    Way("rehearse", _CHOICE | _MEASURES, "runs the files elsewhere and keeps nothing of it"),
    Way("plan", _CHOICE | {"fake", "baseline", "lint"}, "only shows what a run would do"),
    Way("check", _CHOICE - {"force"} | {"lint"}, "only says whether files are applied"),
    Way("list", _CHOICE - {"force"}, "only lists files with their states"),
    Way("baseline", _CHOICE | {"fake", "gate", "backup"}, "records files without running them"),
    Way("fake", _CHOICE | {"gate", "backup"}, "records files without running them"),
    Way("", _CHOICE | _CARE),
)


class Command(SeveralDatabasesCommand):
    """Apply SQL files that are pending, each in its own transaction, and record each."""

    help = (
        "Applies the SQL files that are pending, each exactly once, in its own transaction together with its record. "
        "A file that fails holds back only those that depend on it; run it again when it is mended. With --plan, "
        "--check, --list or --rehearse nothing is applied. A NAME is a file's path below its folder, such as "
        "003_orders.sql or shop/001_views.sql, or a beginning that only one file has, such as 003."
    )
    name = "applysql"
    formats = ("text", "json", "github")
    ways = _WAYS

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        super().add_arguments(parser)
        _add_choice(parser)
        _add_looks(parser)
        _add_records(parser)
        _add_care(parser)

    def judge_settings(self) -> None:
        """Refuse folders that are none; the other settings are judged when there is something to do with them."""
        if not _are_folders(settings.DIRS):
            super().judge_settings()

    def run(self, **options: Any) -> ExitCode:
        """Show or do what is asked for, on one database or on all that have SQL files."""
        check_jobs(options, "adopt", "repair", "resume_at", "restart")
        if options["all_databases"]:
            return self.on_databases(aliases_with_files(), options)
        answer = self.on_one(options)
        if answer.document is not None:
            self.stdout.write(documents.dumps(answer.document))
        return answer.code

    def on_one(self, options: dict[str, Any]) -> Answer:
        """Show or do what is asked for on one database; return the document, where one was asked for."""
        asked = _options(options)
        if options["adopt"]:
            return self._adopt(options)
        if options["repair"]:
            return self._repair(options)
        if options["plan"] or options["check"] or options["list"]:
            return self._show(plan_run(asked, findings=options["plan"]), options)
        if options["rehearse"]:
            return self._rehearse(asked, options)
        if options["resume_at"] is not None or options["restart"]:
            asked = self._reposition(asked, options)
        as_json = options["format"] == "json"
        style = no_style() if as_json else self.style
        with Screen(self.out(options), style, verbosity=options["verbosity"]) as screen:
            result = apply(asked, partial(self._report, screen))
            screen.close(result)
        document = documents.of_run(self.name, result)
        if result.gate is not None:
            document |= documents.of_gate(result.gate)
        return Answer(
            document if as_json else None,
            exit_codes.of_run(result),
            by_state(file for file in result.files if file.asked),
        )

    def _report(self, screen: Screen, report: Report) -> None:
        screen.report(report)
        self.watch(report)

    def _rehearse(self, asked: ApplyOptions, options: dict[str, Any]) -> Answer:
        """Run what is pending where it can do no harm, and say what was measured."""
        from sqlmigrations.output.rehearsal import rehearsal_annotations, rehearsal_lines
        from sqlmigrations.service.rehearse import RehearseOptions, Where, rehearse

        where = Where.IN_PLACE if options["in_place"] else Where.DATA if options["with_data"] else Where.SCHEMA
        max_lock = Mode[options["max_lock"]] if options["max_lock"] else None

        def tell(words: str) -> None:
            if options["verbosity"] > 1:
                self.stderr.write(f"{words} ...")

        report = rehearse(RehearseOptions(asked, where, options["max_block_ms"], max_lock), tell)
        if options["keep"]:
            from sqlmigrations.service.reports import keep

            keep(ReportKind.REHEARSAL, documents.of_rehearsal(report), database=options["database"])
        if options["format"] == "json":
            return Answer(documents.of_rehearsal(report), exit_codes.of_rehearsal(report))
        if options["format"] == "github":
            self._tell(rehearsal_annotations(report), options)
        self._tell(rehearsal_lines(report, self.style, verbosity=options["verbosity"]), options)
        return Answer(None, exit_codes.of_rehearsal(report))

    def _adopt(self, options: dict[str, Any]) -> Answer:
        """Take over another tool's history, shown first."""
        from sqlmigrations.output.settling import adoption_lines
        from sqlmigrations.service.adopt import adopt, plan_adoption

        plan = plan_adoption(options["adopt"], database=options["database"])
        self._tell(adoption_lines(plan, self.style), options)
        settle = partial(adopt, plan, tell=self.tell_waiting, lock_wait=options["lock_wait"])
        return self._settled(bool(plan.adoptions), "Take this over?", settle, documents.of_adoption(plan), options)

    def _repair(self, options: dict[str, Any]) -> Answer:
        """Settle what files and history disagree about, shown first."""
        from sqlmigrations.output.settling import repair_lines
        from sqlmigrations.service.repair import plan_repair, repair

        plan = plan_repair(options["database"])
        self._tell(repair_lines(plan, self.style), options)
        settle = partial(repair, plan, reason=options["reason"], tell=self.tell_waiting, lock_wait=options["lock_wait"])
        return self._settled(bool(plan.repairs), "Settle it so?", settle, documents.of_repair(plan), options)

    def _settled(
        self,
        has_work: bool,
        question: str,
        settle: Callable[[], str],
        document: documents.Document,
        options: dict[str, Any],
    ) -> Answer:
        """Settle what was shown, once a person has agreed; ``--plan`` only shows it."""
        code = ExitCode.OK
        if has_work and not options["plan"]:
            if self._agreed(question, options):
                document["head"] = settle()
                self._tell([f"Head of the history: {document['head']}"], options)
            else:
                self.stderr.write("Nothing was done.")
                code = ExitCode.FOUND
        return Answer(document if options["format"] == "json" else None, code)

    def _reposition(self, asked: ApplyOptions, options: dict[str, Any]) -> ApplyOptions:
        """Say where a file that stopped half-way goes on; return what takes it up there."""
        if len(asked.names) != 1:
            raise ConfigurationError("--resume-at and --restart go with the NAME of one file.")
        if not options["reason"]:
            raise ConfigurationError("--resume-at and --restart want a reason.", hint='Add: --reason "..."')
        where = "from its beginning" if options["restart"] else f"with statement {options['resume_at']}"
        if not self._agreed(f"Go on {where} of {asked.names[0]}? What was done before is not undone.", options):
            raise ConfigurationError("Nothing was done.")
        from sqlmigrations.service.reposition import reposition

        file = reposition(
            asked.names[0],
            resume_at=None if options["restart"] else options["resume_at"],
            reason=options["reason"],
            database=asked.database,
            tell=self.tell_waiting,
            lock_wait=asked.lock_wait,
        )
        return replace(asked, names=(), seeds=(file.name,)) if file.kind is Kind.SEED else asked

    def _agreed(self, question: str, options: dict[str, Any]) -> bool:
        return not options["interactive"] or self.ask(question)

    def _tell(self, lines: Iterable[str], options: dict[str, Any]) -> None:
        for line in lines:
            self.out(options).write(line)

    def _show(self, report: PlanReport, options: dict[str, Any]) -> Answer:
        code = exit_codes.of_check(report) if options["check"] else ExitCode.OK
        if options["format"] == "json":
            steps = report.plan.steps if options["list"] else report.unfinished
            return Answer(documents.of_plan(report, steps), code)
        if options["format"] == "github" and report.lint is not None:
            from sqlmigrations.output.lint import annotation_lines

            self._tell(annotation_lines(report.lint.findings, dict(report.lint.paths)), options)
        lines = list_lines if options["list"] else check_lines if options["check"] else plan_lines
        self._tell(lines(report, self.style), options)
        return Answer(None, code)


def _add_choice(parser: CommandParser) -> None:
    """Add the options that say which files are applied."""
    group = parser.add_argument_group("which files", "All that are pending, unless one of these is given.")
    group.add_argument("names", nargs="*", metavar="NAME", help="Apply just these files, reverted ones as well.")
    group.add_argument("--to", metavar="NAME", help="Apply what is pending up to this file, in the order of a run.")
    group.add_argument(
        "--seed", metavar="NAME", action="append", default=[], help="Run this seed; may be given several times."
    )
    group.add_argument("--force", action="store_true", help="With --seed: run it again though it is unchanged.")
    group.add_argument(
        "--allow-late",
        action="store_true",
        help="Also apply files that sort before an applied one and touch what it touches.",
    )


def _add_looks(parser: CommandParser) -> None:
    """Add the options that look and apply nothing."""
    group = parser.add_argument_group("look, and apply nothing")
    look = group.add_mutually_exclusive_group()
    look.add_argument("--plan", action="store_true", help="Show what would be done and why, with the dangers in it.")
    look.add_argument("--check", action="store_true", help="Say whether everything is applied: exit code 1 if not.")
    look.add_argument("--list", action="store_true", help="List all files with their states.")
    look.add_argument(
        "--rehearse",
        action="store_true",
        help="Run what is pending in a copy of the schema, and measure what it blocks.",
    )
    place = group.add_mutually_exclusive_group()
    place.add_argument("--with-data", action="store_true", help="With --rehearse: copy the rows as well.")
    place.add_argument(
        "--in-place",
        action="store_true",
        help="With --rehearse: run it in this database, in a transaction that is rolled back. It takes real locks.",
    )
    group.add_argument(
        "--keep", action="store_true", help="With --rehearse: keep what was measured, so that the admin shows it."
    )
    group.add_argument(
        "--max-block-ms",
        metavar="MS",
        type=float,
        help="With --rehearse: exit code 1 if anybody waits for longer, in milliseconds.",
    )
    group.add_argument(
        "--max-lock",
        metavar="MODE",
        choices=[str(mode) for mode in Mode],
        help="With --rehearse: exit code 1 if a stronger lock is taken, such as ShareUpdateExclusive.",
    )


def _add_records(parser: CommandParser) -> None:
    """Add the options that change what is on record."""
    group = parser.add_argument_group("change what is on record")
    group.add_argument(
        "--fake", action="store_true", help="Record the files that would be applied as applied, without running them."
    )
    group.add_argument(
        "--baseline",
        metavar="NAME",
        help="Record all files up to this one as applied without running them: the database has it all already.",
    )
    group.add_argument(
        "--adopt",
        metavar="TABLE",
        help="Take over the history that another tool (Flyway, dbmate, goose, ...) keeps in this table; shown first.",
    )
    group.add_argument(
        "--repair",
        action="store_true",
        help="Settle what files and history disagree about: edited, renamed and removed files; shown first.",
    )
    stopped = group.add_mutually_exclusive_group()
    stopped.add_argument(
        "--resume-at",
        type=int,
        metavar="N",
        help="With one NAME and --reason: go on with statement N of a file that stopped half-way.",
    )
    stopped.add_argument(
        "--restart",
        action="store_true",
        help="With one NAME and --reason: begin a file that stopped half-way again. Nothing is undone before.",
    )
    group.add_argument(
        "--reason",
        metavar="TEXT",
        default="",
        help="Why; kept with the event of --repair, --resume-at and --restart.",
    )


def _add_care(parser: CommandParser) -> None:
    """Add the options that say how carefully it is done."""
    group = parser.add_argument_group("how it is done")
    group.add_argument(
        "--lint",
        action="store_true",
        help="Apply nothing while the linter finds an error or a warning; with --plan and --check: lint thoroughly.",
    )
    group.add_argument(
        "--gate",
        action="store_true",
        help="Apply nothing while dbhealth says that now is no good time, and say afterwards what is new in its eyes.",
    )
    group.add_argument(
        "--backup", action="store_true", help="Take a backup with django-dbbackup before the first file runs."
    )
    group.add_argument("--fail-fast", action="store_true", help="Stop at the first file that fails.")
    add_lock_wait(group)
    group.add_argument(
        "--noinput",
        "--no-input",
        action="store_false",
        dest="interactive",
        help="Never ask: what would be asked is taken as agreed.",
    )


def _options(options: dict[str, Any]) -> ApplyOptions:
    """Turn the command's options into the service's.

    Raises:
        ConfigurationError: two of them contradict each other.
    """
    return ApplyOptions(
        database=options["database"],
        names=tuple(options["names"]),
        to=options["to"],
        seeds=tuple(options["seed"]),
        force=options["force"],
        fake=options["fake"],
        baseline=options["baseline"],
        fail_fast=options["fail_fast"],
        allow_late=options["allow_late"],
        backup=options["backup"],
        gate=options["gate"],
        lock_wait=options["lock_wait"],
        lint=options["lint"],
    )


def _are_folders(dirs: object) -> bool:
    """Tell quickly whether SQLMIGRATIONS_DIRS may be what it should be."""
    lists = dirs.values() if isinstance(dirs, Mapping) else [dirs]
    return all(
        isinstance(paths, (list, tuple)) and all(isinstance(path, (str, os.PathLike)) for path in paths)
        for paths in lists
    )
