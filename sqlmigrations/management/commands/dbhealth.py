"""``manage.py dbhealth``: say how a database is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser, OutputWrapper

from sqlmigrations.exceptions import ConfigurationError, SQLMigrationsError
from sqlmigrations.health.base import Severity
from sqlmigrations.management.base import SQLCommand, check_jobs
from sqlmigrations.management.ways import Way
from sqlmigrations.models import ReportKind
from sqlmigrations.output import documents, exit_codes, github, prometheus
from sqlmigrations.output.exit_codes import ExitCode
from sqlmigrations.output.health import HealthText, explanation_lines, list_lines, sql_lines
from sqlmigrations.service.databases import distinct_aliases
from sqlmigrations.service.health import Gate, HealthOptions, HealthReport, check_health, known_for
from sqlmigrations.service.parallel import in_parallel
from sqlmigrations.service.reports import keep

#: What ``--fail-on`` takes, with the least severity that counts.
FAIL_ON = {"warning": Severity.WARNING, "critical": Severity.CRITICAL, "never": None}

_REPORT = frozenset({"known", "fail_on", "keep", "output", "all_databases"})

_WAYS = (
    Way("list", frozenset({"tag"}), "asks no database"),
    Way("explain", frozenset({"sql"}), "asks no database"),
    Way("only", _REPORT, "names the checks"),
    Way("", _REPORT | {"tag", "gate"}),
)


class Command(SQLCommand):
    """Ask one database how it is, or all of them; nothing in it is locked or changed."""

    help = (
        "Checks the integrity and performance of the database: each check is ok, a warning, critical, or skipped "
        "because it could not look. Nothing is locked or changed; --keep alone writes, what it measured."
    )
    name = "dbhealth"
    on_all_databases = True
    all_databases = "every PostgreSQL database of DATABASES, with files or without"
    formats = ("text", "json", "github", "prometheus")
    ways = _WAYS

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        super().add_arguments(parser)
        self._add_what_to_ask(parser)
        self._add_what_to_make_of_it(parser)

    def _add_what_to_ask(self, parser: CommandParser) -> None:
        look = parser.add_mutually_exclusive_group()
        look.add_argument(
            "--list", action="store_true", help="List the checks, all or those with a --tag; ask nothing."
        )
        look.add_argument("--explain", metavar="ID", help="Say what a check looks for and why, and ask nothing.")
        parser.add_argument("--sql", action="store_true", help="With --explain: show its SQL, to be pasted into psql.")
        parser.add_argument(
            "--only",
            metavar="ID",
            action="append",
            default=[],
            help="Run just this check, of those that --list names; may be given several times.",
        )
        parser.add_argument(
            "--tag",
            metavar="TAG",
            action="append",
            default=[],
            help="Run just the checks with this tag, which --list shows; may be given several times.",
        )
        parser.add_argument(
            "--gate",
            choices=[str(gate) for gate in Gate],
            help="before: is now a good time for a migration? after: what the catalog tells right behind one.",
        )

    def _add_what_to_make_of_it(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--known",
            metavar="FILE",
            type=Path,
            help="The JSON document of an earlier run: only what is new or worse fails.",
        )
        parser.add_argument(
            "--fail-on",
            choices=tuple(FAIL_ON),
            help="The least severity that ends in exit code 1; warning when not given.",
        )
        parser.add_argument(
            "--keep",
            action="store_true",
            help="Keep what is measured, for later runs to tell how fast things go, and the report, for the admin.",
        )
        parser.add_argument(
            "--output", metavar="FILE", type=Path, help="With --format prometheus: replace this file in one step."
        )

    def run(self, **options: Any) -> ExitCode:
        """List, explain, or ask and word the report."""
        if options["output"] and options["format"] != "prometheus":
            raise ConfigurationError("--output goes with --format prometheus.")
        if options["list"] or options["explain"]:
            return self._describe(options)
        check_jobs(options)
        reports, documents_found, answers = self._ask(options)
        self._word(reports, documents_found, options)
        if options["all_databases"]:
            for alias, code in answers.items():
                self._out(options).write(f"{alias}: {exit_codes.WORDS[code]}")
        return exit_codes.heaviest(answers.values())

    def _ask(self, options: dict[str, Any]) -> tuple[list[HealthReport], list[documents.Document], dict[str, ExitCode]]:
        """Ask one database, or several; of these, one that can't be asked doesn't stop the others.

        Raises:
            SQLMigrationsError: the only one can't be asked.
        """
        alias = options["database"]
        given = _look_at_all(options) if options["all_databases"] else {alias: _look(alias, options)}
        reports: list[HealthReport] = []
        found: list[documents.Document] = []
        answers: dict[str, ExitCode] = {}
        for alias, report in given.items():
            if isinstance(report, SQLMigrationsError):
                self.stderr.write(self.style.ERROR(f"{alias}: {report}"))
                found.append(documents.of_error(self.name, alias, report))
                answers[alias] = exit_codes.of_error(report)
                continue
            reports.append(report)
            found.append(documents.of_health(report))
            answers[alias] = exit_codes.of_health(report, FAIL_ON[options["fail_on"] or "warning"])
        return reports, found, answers

    def _describe(self, options: dict[str, Any]) -> ExitCode:
        """List all checks or those with a tag, or explain one.

        Raises:
            ConfigurationError: there is no check of that id, or with that tag.
        """
        if options["format"] not in ("text", "json"):
            raise ConfigurationError(
                f"--list and --explain ask no database: there is nothing to write for {options['format']}.",
                hint="They take --format text and json.",
            )
        checks = known_for(options["database"], tags=options["tag"])
        if not options["list"]:
            id = options["explain"]
            if id not in checks:
                raise ConfigurationError(
                    f"There is no health check '{id}'.", hint="manage.py dbhealth --list shows all."
                )
            checks = {id: checks[id]}
        if options["format"] == "json":
            self.stdout.write(documents.dumps(documents.of_known(options["database"], checks.values())))
            return ExitCode.OK
        if options["list"]:
            return self._write(list_lines(checks.values()))
        (check,) = checks.values()
        return self._write(sql_lines(check) if options["sql"] else explanation_lines(check, self.style))

    def _word(self, reports: Sequence[HealthReport], found: list[documents.Document], options: dict[str, Any]) -> None:
        match options["format"]:
            case "json":
                whole = documents.of_all(self.name, found) if options["all_databases"] else found[0]
                self.stdout.write(documents.dumps(whole))
            case "github":
                for report in reports:
                    self._write(github.health_lines(report))
            case "prometheus" if options["output"]:
                prometheus.write(reports, options["output"])
            case "prometheus":
                self._write(prometheus.lines(reports))
            case _:
                text = HealthText(self.style, options["verbosity"])
                for report in reports:
                    self._write(text.lines(report))
                    if options["all_databases"]:
                        self.stdout.write("")
                self._write(text.across(reports))

    def _out(self, options: dict[str, Any]) -> OutputWrapper:
        """Return where words for people go that don't belong to the report."""
        return self.stdout if options["format"] == "text" else self.stderr

    def _write(self, lines: Iterable[str]) -> ExitCode:
        for line in lines:
            self.stdout.write(line)
        return ExitCode.OK


def _look(alias: str, options: dict[str, Any]) -> HealthReport:
    """Ask one database, and keep the report if that is asked for."""
    report = check_health(_asked(alias, options))
    if options["keep"] and _is_whole(options):
        keep(ReportKind.HEALTH, documents.of_health(report), database=alias)
    return report


def _look_at_all(options: dict[str, Any]) -> dict[str, HealthReport | SQLMigrationsError]:
    """Ask several databases, one by one or side by side; return the report of each, or why there is none."""

    def look(alias: str) -> HealthReport | SQLMigrationsError:
        try:
            return _look(alias, options)
        except SQLMigrationsError as error:
            return error

    if options["jobs"] == 1:
        return {alias: look(alias) for alias in distinct_aliases()}
    return in_parallel(distinct_aliases(), look, jobs=options["jobs"])


def _asked(alias: str, options: dict[str, Any]) -> HealthOptions:
    """Turn the command's options into the service's."""
    return HealthOptions(
        alias,
        only=tuple(options["only"]),
        tags=tuple(options["tag"]),
        gate=Gate(options["gate"]) if options["gate"] else None,
        known=options["known"],
        keep=options["keep"],
        trends=_is_whole(options),
    )


def _is_whole(options: dict[str, Any]) -> bool:
    """Say whether all checks are asked for."""
    return not (options["only"] or options["tag"] or options["gate"])
