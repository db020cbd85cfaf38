"""``manage.py makesql``: make the next SQL file and its down script."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from sqlmigrations.management.base import SQLCommand
from sqlmigrations.output import documents
from sqlmigrations.output.exit_codes import ExitCode
from sqlmigrations.output.paths import short
from sqlmigrations.service.fixes import drift_texts
from sqlmigrations.service.makesql import make_files, next_step


class Command(SQLCommand):
    """Make files; the database is not asked, unless its drift is to go into them."""

    help = "Makes the next numbered SQL file and its down script."
    name = "makesql"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        super().add_arguments(parser)
        parser.add_argument("name", metavar="NAME", help="What it changes; or repeatable/NAME, seed/NAME.")
        parser.add_argument(
            "--from-drift",
            action="store_true",
            help="Fill it with what was changed by hand since the last run, and its down script with what undoes that.",
        )
        parser.add_argument("--app", metavar="LABEL", default="", help="Make it in this app's folder.")

    def run(self, **options: Any) -> ExitCode:
        """Make the files and say where they are."""
        database = options["database"]
        texts = drift_texts(database) if options["from_drift"] else None
        made = make_files(options["name"], database=database, app=options["app"], texts=texts)
        if options["format"] == "json":
            self.stdout.write(documents.dumps(documents.of_made(made, database)))
            return ExitCode.OK
        for path in (made.path, made.down):
            if path is not None:
                self.stdout.write(f"Made {short(path)}")
        if options["verbosity"]:
            self.stdout.write(next_step(made, database, from_drift=options["from_drift"]))
        return ExitCode.OK
