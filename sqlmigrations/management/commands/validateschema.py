"""``manage.py validateschema``: find every difference between the database and what it should be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.db import connections

from sqlmigrations.exceptions import ConfigurationError
from sqlmigrations.management.base import check_jobs
from sqlmigrations.management.several_databases import Answer, SeveralDatabasesCommand
from sqlmigrations.management.ways import Way
from sqlmigrations.models import ReportKind
from sqlmigrations.output import ddl_log, documents, exit_codes, validation, versions
from sqlmigrations.output.exit_codes import ExitCode
from sqlmigrations.service.databases import aliases_with_files
from sqlmigrations.service.ddl_log import install_ddl_log, remove_ddl_log, show_ddl_log
from sqlmigrations.service.reports import keep
from sqlmigrations.service.validate import ValidateOptions, ValidationReport, export_history, validate
from sqlmigrations.service.versions import accept_schema, compare_versions, list_versions, read_coverage

_WAYS = (
    Way("export", frozenset(), "writes the events and validates nothing"),
    Way("ddl_log", frozenset(), "is about the log of changes and validates nothing"),
    Way("accept", frozenset({"reason"}), "takes the schema as it is"),
    Way("versions", frozenset(), "only lists what runs have left"),
    Way("coverage", frozenset(), "only counts what is compared"),
    Way("between", frozenset(), "compares two versions that were kept"),
    Way("", frozenset({"history", "expect_head", "verify", "replay", "roundtrip", "against", "fix", "keep"})),
)


class Command(SeveralDatabasesCommand):
    """Validate one database; nothing in it is locked or changed."""

    help = (
        "Compares the database with what the SQL files and their history, Django's models, the settings and the last "
        "run say it is, and names each difference. Nothing is locked or changed, but by --accept and --ddl-log."
    )
    name = "validateschema"
    formats = ("text", "json", "github")
    ways = _WAYS

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        super().add_arguments(parser)
        _add_comparisons(parser)
        _add_report(parser)
        _add_other_answers(parser)

    def run(self, **options: Any) -> ExitCode:
        """Validate and word the report."""
        check_jobs(options)
        if options["all_databases"]:
            _check_goes_with_all(options)
            return self.on_databases(aliases_with_files(), options)
        if options["export"]:
            if options["format"] != "text":
                raise ConfigurationError("--export writes JSON lines, whatever --format says.", hint="Leave it out.")
            return self._export(options["export"], options["database"])
        if options["ddl_log"]:
            return self._ddl_log(**options)
        if options["accept"]:
            return self._accept(**options)
        if options["versions"]:
            return self._versions(**options)
        if options["coverage"]:
            return self._coverage(**options)
        if options["between"]:
            one, other = options["between"]
            differences = compare_versions(one, other, database=options["database"])
            answer = self._answer(ValidationReport(options["database"], differences), options)
        else:
            answer = self.on_one(options)
        if answer.document is not None:
            self.stdout.write(documents.dumps(answer.document))
        return answer.code

    def on_one(self, options: dict[str, Any]) -> Answer:
        """Validate one database."""
        report = validate(
            ValidateOptions(
                options["database"],
                history=options["history"],
                expect_head=options["expect_head"],
                against=options["against"],
                verify=options["verify"],
                replay=options["replay"],
                roundtrip=options["roundtrip"],
                fix=options["fix"],
            )
        )
        if options["keep"]:
            keep(ReportKind.VALIDATION, documents.of_validation(report), database=options["database"])
        return self._answer(report, options)

    def _answer(self, report: ValidationReport, options: dict[str, Any]) -> Answer:
        """Word a report as the person wants it."""
        code = exit_codes.of_validation(report)
        match options["format"]:
            case "json":
                return Answer(documents.of_validation(report), code)
            case "github":
                lines = validation.github_lines(report)
            case _:
                lines = validation.lines(report, self.style, verbosity=options["verbosity"])
        for line in lines:
            self.stdout.write(line)
        return Answer(None, code)

    def _accept(self, **options: Any) -> ExitCode:
        """Take the schema as it is for what it should be."""
        accepted = accept_schema(options["reason"], database=options["database"], tell=self.tell_waiting)
        self.show(options, documents.of_accepted(accepted), versions.accepted_lines(accepted, self.style))
        return ExitCode.OK

    def _versions(self, **options: Any) -> ExitCode:
        """List the versions of the schema."""
        report = list_versions(options["database"])
        self.show(options, documents.of_versions(report), versions.lines(report, self.style))
        return ExitCode.OK

    def _coverage(self, **options: Any) -> ExitCode:
        """Say what is compared, and what isn't."""
        catalog = read_coverage(options["database"])
        self.show(options, documents.of_coverage(options["database"], catalog), versions.coverage(catalog))
        return ExitCode.OK

    def _ddl_log(self, **options: Any) -> ExitCode:
        """Install, remove or show the DDL log."""
        database = options["database"]
        match options["ddl_log"]:
            case "install":
                report = install_ddl_log(database, tell=self.tell_waiting)
            case "remove":
                report = remove_ddl_log(database, tell=self.tell_waiting)
            case _:
                report = show_ddl_log(database)
        lines = ddl_log.lines(report, self.style, verbosity=options["verbosity"])
        self.show(options, documents.of_ddl_log(report), lines)
        return exit_codes.of_ddl_log(report)

    def _export(self, target: str, database: str) -> ExitCode:
        """Write the events to a file or to the standard output.

        Raises:
            ConfigurationError: the file can't be written.
        """
        # The standard output may know fewer characters than a file does.
        lines = (json.dumps(event, ensure_ascii=target == "-") for event in export_history(database))
        if target == "-":
            for line in lines:
                self.stdout.write(line)
            return ExitCode.OK
        try:
            with Path(target).open("w", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in lines)
        except OSError as error:
            raise ConfigurationError(f"{target} can't be written: {error.strerror}") from error
        return ExitCode.OK


def _add_comparisons(parser: CommandParser) -> None:
    """Add the options that say what is looked at beside files, models and the last run."""
    group = parser.add_argument_group("look at more")
    group.add_argument(
        "--history", action="store_true", help="Verify the whole chain of events, not only its last thousand."
    )
    group.add_argument(
        "--expect-head", metavar="HASH", help="Check that the history still holds this head, printed by a run."
    )
    group.add_argument(
        "--verify", action="store_true", help="Run the verify scripts of the applied files once more, read-only."
    )
    group.add_argument(
        "--replay",
        action="store_true",
        help="Make the schema from nothing in a scratch database, by migrations and files, and compare.",
    )
    group.add_argument(
        "--roundtrip",
        action="store_true",
        help="Prove in a scratch database that each down script undoes its file, and that the file runs again.",
    )
    group.add_argument(
        "--against",
        metavar="ALIAS",
        choices=tuple(connections),
        help="Compare the schema with that of another database, too.",
    )


def _add_report(parser: CommandParser) -> None:
    """Add the options that say what is done with what was found."""
    group = parser.add_argument_group("what is found")
    group.add_argument(
        "--fix",
        action="store_true",
        help="Print the SQL that undoes each difference, tried on a scratch copy of the schema first.",
    )
    group.add_argument("--keep", action="store_true", help="Keep the report, so that the admin's pages show it.")


def _add_other_answers(parser: CommandParser) -> None:
    """Add the options that do something else than validate."""
    group = parser.add_argument_group("do something else, and stop")
    group.add_argument(
        "--accept",
        action="store_true",
        help="Take the schema as it is for what it should be from now on, and stop; needs --reason.",
    )
    group.add_argument("--reason", metavar="TEXT", default="", help="Why the schema is accepted; kept for good.")
    group.add_argument("--versions", action="store_true", help="List the versions that runs left, and stop.")
    group.add_argument(
        "--between", nargs=2, type=int, metavar=("A", "B"), help="Compare two versions of the schema, and stop."
    )
    group.add_argument(
        "--coverage", action="store_true", help="Count what is compared and what is not, kind by kind, and stop."
    )
    group.add_argument(
        "--ddl-log",
        choices=("install", "remove", "show"),
        help="Install, remove or show the log of who changed the schema, and stop.",
    )
    group.add_argument(
        "--export", metavar="FILE", help="Write all events as JSON lines, '-' for the standard output, and stop."
    )


def _check_goes_with_all(options: dict[str, Any]) -> None:
    """Check that nothing is asked for that is about one database.

    Raises:
        ConfigurationError: something is.
    """
    for flag in ("accept", "against", "between", "coverage", "ddl_log", "expect_head", "export", "versions"):
        if options[flag]:
            name = flag.replace("_", "-")
            raise ConfigurationError(f"--{name} is about one database.", hint="Name it with --database.")
