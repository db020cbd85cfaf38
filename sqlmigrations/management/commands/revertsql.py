"""``manage.py revertsql``: undo SQL files with their down scripts."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.core.management.color import no_style

from sqlmigrations.management.base import SQLCommand, add_lock_wait
from sqlmigrations.management.ways import Way
from sqlmigrations.output import documents, exit_codes
from sqlmigrations.output.exit_codes import ExitCode
from sqlmigrations.output.screen import Screen
from sqlmigrations.output.text import revert_plan_lines
from sqlmigrations.service.revert import RevertOptions, RevertPlan, plan_revert, refuse_faked, revert

_CHOICE = frozenset({"names", "last", "to", "cascade", "from_disk"})

_WAYS = (Way("plan", _CHOICE, "only shows what would be reverted"), Way("", _CHOICE | {"backup"}))


class Command(SQLCommand):
    """Revert SQL files, newest first, and record each."""

    help = (
        "Reverts SQL files with the down scripts that were kept when they were applied, newest first. It shows what it "
        "will do and asks. Just one of NAME, --last and --to is given. A NAME is a file's path below its folder, such "
        "as 003_orders.sql, or a beginning that only one file has."
    )
    name = "revertsql"
    ways = _WAYS

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        super().add_arguments(parser)
        parser.add_argument("names", nargs="*", metavar="NAME", help="Revert these files.")
        parser.add_argument(
            "--last", type=int, metavar="N", help="Revert the N versioned files that were applied last."
        )
        parser.add_argument(
            "--to", metavar="NAME", help="Revert all versioned files behind this one; 'zero' reverts all."
        )
        parser.add_argument(
            "--cascade", action="store_true", help="Also revert what was applied later and builds on them."
        )
        parser.add_argument(
            "--from-disk", action="store_true", help="Use the down scripts on disk instead of those that were kept."
        )
        parser.add_argument("--backup", action="store_true", help="Take a backup before the first file is reverted.")
        parser.add_argument("--plan", action="store_true", help="Show what would be done, and do nothing.")
        add_lock_wait(parser)
        parser.add_argument(
            "--noinput",
            "--no-input",
            action="store_false",
            dest="interactive",
            help="Never ask. Files that were recorded without being run are refused then.",
        )

    def run(self, **options: Any) -> ExitCode:
        """Show what would be reverted, ask, and revert it."""
        plan = plan_revert(
            RevertOptions(
                options["database"],
                tuple(options["names"]),
                last=options["last"],
                to=options["to"],
                cascade=options["cascade"],
                from_disk=options["from_disk"],
            )
        )
        if options["plan"]:
            self.show(options, documents.of_revert_plan(plan), revert_plan_lines(plan, self.style))
            return ExitCode.OK
        if not self._confirmed(plan, options):
            self.stderr.write("Nothing was reverted.")
            return ExitCode.FOUND
        as_json = options["format"] == "json"
        out, style = (self.stderr, no_style()) if as_json else (self.stdout, self.style)
        with Screen(out, style, verbosity=options["verbosity"]) as screen:
            result = revert(plan, screen.report, backup=options["backup"], lock_wait=options["lock_wait"])
            screen.close(result)
        if as_json:
            self.stdout.write(documents.dumps(documents.of_run("revertsql", result)))
        return exit_codes.of_run(result)

    def _confirmed(self, plan: RevertPlan, options: dict[str, Any]) -> bool:
        """Ask before anything is undone.

        Raises:
            ConfigurationError: nobody can be asked.
        """
        if not plan.reversals:
            return True
        if not options["interactive"]:
            refuse_faked(plan, hint="Run it without --noinput, and confirm it.")
            return True
        for line in revert_plan_lines(plan, self.style):
            self.stderr.write(line)
        return self.ask("Revert this?")
