"""``manage.py applysql``: apply SQL files, each exactly once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.core.management.color import no_style

from sqlmigrations.exceptions import ConfigurationError
from sqlmigrations.management.base import SQLCommand, duration
from sqlmigrations.output import documents, exit_codes
from sqlmigrations.output.exit_codes import ExitCode
from sqlmigrations.output.screen import Screen
from sqlmigrations.output.text import check_lines, list_lines, plan_lines
from sqlmigrations.service.apply import ApplyOptions, PlanReport, apply, plan_run


class Command(SQLCommand):
    """Apply SQL files that are pending, each in its own transaction, and record each."""

    help = "Applies the SQL files that are pending, each exactly once, in its own transaction."
    name = "applysql"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        super().add_arguments(parser)
        parser.add_argument("names", nargs="*", metavar="NAME", help="Apply just these files.")
        look = parser.add_mutually_exclusive_group()
        look.add_argument("--plan", action="store_true", help="Show what would be done, and do nothing.")
        look.add_argument("--check", action="store_true", help="Exit with 1 if anything is pending, and do nothing.")
        look.add_argument("--list", action="store_true", help="List all files with their states, and do nothing.")
        parser.add_argument("--to", metavar="NAME", help="Apply what is pending up to this file.")
        parser.add_argument("--seed", metavar="NAME", action="append", default=[], help="Run this seed.")
        parser.add_argument("--force", action="store_true", help="With --seed: run it again though it is unchanged.")
        parser.add_argument("--fake", action="store_true", help="Record the files as applied without running them.")
        parser.add_argument(
            "--baseline", metavar="NAME", help="Record all files up to this one as applied without running them."
        )
        parser.add_argument("--fail-fast", action="store_true", help="Stop at the first file that fails.")
        parser.add_argument("--allow-late", action="store_true", help="Apply late files whatever they touch.")
        parser.add_argument(
            "--lock-wait",
            metavar="DURATION",
            type=duration,
            default=60.0,
            help="How long to wait for another run, such as 500ms, 60s or 5min.",
        )
        parser.add_argument("--noinput", "--no-input", action="store_false", dest="interactive", help="Never ask.")

    def run(self, **options: Any) -> ExitCode:
        """Show or do what is asked for."""
        asked = _options(options)
        if options["plan"] or options["check"] or options["list"]:
            return self._show(plan_run(asked), options)
        as_json = options["format"] == "json"
        screen = Screen(
            self.stderr if as_json else self.stdout,
            no_style() if as_json else self.style,
            verbosity=options["verbosity"],
        )
        with screen:
            result = apply(asked, screen.report)
            screen.close(result)
        if as_json:
            self.stdout.write(documents.dumps(documents.of_run("applysql", result)))
        return exit_codes.of_run(result)

    def _show(self, report: PlanReport, options: dict[str, Any]) -> ExitCode:
        if options["format"] == "json":
            steps = report.plan.steps if options["list"] else report.unfinished
            self.stdout.write(documents.dumps(documents.of_plan(report, steps)))
        else:
            lines = list_lines if options["list"] else check_lines if options["check"] else plan_lines
            for line in lines(report, self.style):
                self.stdout.write(line)
        return exit_codes.of_check(report) if options["check"] else ExitCode.OK


def _options(options: dict[str, Any]) -> ApplyOptions:
    """Turn the command's options into the service's.

    Raises:
        ConfigurationError: two of them contradict each other.
    """
    selecting = [flag for flag in ("names", "to", "seed", "baseline") if options[flag] not in (None, [])]
    if len(selecting) > 1:
        said = " and ".join("NAME" if flag == "names" else f"--{flag}" for flag in selecting)
        raise ConfigurationError(f"{said} say two different things.", hint="Give one of them.")
    if options["force"] and not options["seed"]:
        raise ConfigurationError("--force goes with --seed.")
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
        lock_wait=options["lock_wait"],
    )
