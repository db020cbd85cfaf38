"""``manage.py makesql``: make the next SQL file and its down script."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from sqlmigrations.exceptions import ConfigurationError
from sqlmigrations.management.base import SQLCommand
from sqlmigrations.output import documents
from sqlmigrations.output.exit_codes import ExitCode
from sqlmigrations.output.paths import short
from sqlmigrations.service.fixes import drift_texts
from sqlmigrations.service.makesql import Texts, make_files, next_step


class Command(SQLCommand):
    """Make files; the database is not asked, unless its drift is to go into them."""

    help = (
        "Makes the next numbered SQL file and its down script, in the first folder of SQLMIGRATIONS_DIRS or in an "
        "app's. What is there is never overwritten."
    )
    name = "makesql"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        super().add_arguments(parser)
        parser.add_argument(
            "name",
            metavar="NAME",
            nargs="?",
            default="",
            help="What it changes, such as 'add customers index'; or repeatable/NAME, seed/NAME.",
        )
        filled = parser.add_mutually_exclusive_group()
        filled.add_argument(
            "--from-drift",
            action="store_true",
            help="Fill it with what was changed by hand since the last run, and its down script with what undoes that.",
        )
        filled.add_argument(
            "--from-migration",
            nargs=2,
            metavar=("APP", "MIGRATION"),
            help="Fill it with the SQL of this Django migration, and its down script with what undoes that, where the "
            "migration can be undone. NAME is then the migration's own unless given.",
        )
        parser.add_argument(
            "--app", metavar="LABEL", default="", help="Make it in migrations_sql/ of the app with this label."
        )

    def run(self, **options: Any) -> ExitCode:
        """Make the files and say where they are.

        Raises:
            ConfigurationError: they have no name.
        """
        database = options["database"]
        if not (options["name"] or options["from_migration"]):
            raise ConfigurationError("Say what the file changes: makesql NAME.")
        texts = self._texts(options)
        made = make_files(options["name"], database=database, app=options["app"], texts=texts)
        if options["format"] == "json":
            self.stdout.write(documents.dumps(documents.of_made(made, database)))
            return ExitCode.OK
        for path in (made.path, made.down):
            if path is not None:
                self.stdout.write(f"Made {short(path)}")
        for operation in made.left_out:
            self.stderr.write(self.style.WARNING(f"Left out, since it is no SQL: {operation}"))
        if options["verbosity"]:
            steps = next_step(
                made, database, from_drift=options["from_drift"], from_migration=bool(options["from_migration"])
            )
            self.stdout.write(steps)
        return ExitCode.OK

    def _texts(self, options: dict[str, Any]) -> Texts | None:
        """Return what the files are to be filled with, if anything."""
        if options["from_migration"]:
            from sqlmigrations.service.from_migration import migration_texts

            app, name = options["from_migration"]
            return migration_texts(app, name, database=options["database"])
        return drift_texts(options["database"]) if options["from_drift"] else None
