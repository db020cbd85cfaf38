"""``manage.py validateschema``: find every difference between the database and what it should be."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from sqlmigrations.management.base import SQLCommand
from sqlmigrations.output import documents, exit_codes, validation
from sqlmigrations.output.exit_codes import ExitCode
from sqlmigrations.service.validate import ValidateOptions, validate


class Command(SQLCommand):
    """Validate one database; nothing in it is locked or changed."""

    help = "Compares the database with what the SQL files, their history and the settings say it is."
    name = "validateschema"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        super().add_arguments(parser)
        parser.add_argument(
            "--history", action="store_true", help="Verify the whole chain of events, not only its last thousand."
        )

    def run(self, **options: Any) -> ExitCode:
        """Validate and word the report."""
        report = validate(ValidateOptions(options["database"], history=options["history"]))
        if options["format"] == "json":
            self.stdout.write(documents.dumps(documents.of_validation(report)))
        else:
            for line in validation.lines(report, self.style, verbosity=options["verbosity"]):
                self.stdout.write(line)
        return exit_codes.of_validation(report)
