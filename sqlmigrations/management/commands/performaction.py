"""``manage.py performaction``: do what somebody has asked for in the admin."""

from __future__ import annotations

import io
import uuid
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser

from sqlmigrations.exceptions import ConfigurationError, SQLMigrationsError
from sqlmigrations.management.base import SQLCommand
from sqlmigrations.output import exit_codes
from sqlmigrations.output.exit_codes import ExitCode
from sqlmigrations.service.actions import Asked, asked_for, claimed, end, foresee
from sqlmigrations.service.run import acting_for

#: What is said where the work would do something else by now.
CHANGED = "What would be done has changed since it was confirmed. Nothing was done: look at it again.\n"


class Command(SQLCommand):
    """Do, in a process of its own, what was confirmed in the admin; once, however often it is called."""

    help = "Does what was asked for in the admin, once. The admin, or a task queue on its behalf, calls it."
    name = "performaction"
    formats = ("text",)

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        super().add_arguments(parser)
        parser.add_argument("token", metavar="TOKEN", type=uuid.UUID, help="The run's id, from the confirmation.")

    def run(self, **options: Any) -> ExitCode:
        """Run the command that was asked for, and note its end with its words.

        Raises:
            ConfigurationError: nobody asked for it.
        """
        token = options["token"]
        asked = asked_for(token, options["database"])
        if asked is None:
            raise ConfigurationError(f"Nobody has asked for {token}.", hint="Confirm an action in the admin.")
        with claimed(asked, token) as is_ours:
            if not is_ours:
                self.stderr.write(f"{token} is being done, or was done, by another process.")
                return ExitCode.OK
            out = io.StringIO()
            code: int = ExitCode.TERMINATED  # what holds unless the command comes to an end by itself
            try:
                code = self._do(asked, token, out)
            finally:
                end(asked, token, code, out.getvalue())
        self.stdout.write(out.getvalue())
        return ExitCode(code)

    def _do(self, asked: Asked, token: uuid.UUID, out: io.StringIO) -> int:
        """Run the command if it would still do what was confirmed; return its exit code."""
        command, *arguments = asked.command
        try:
            if foresee(asked).fingerprint != asked.fingerprint:
                out.write(CHANGED)
                return ExitCode.COULD_NOT_ASK
            with acting_for(asked.user, token):
                call_command(command, *arguments, stdout=out, stderr=out, no_color=True)
        except CommandError as error:
            out.write(f"{error}\n")
            return error.returncode
        except SQLMigrationsError as error:
            out.write(f"{error}\n")
            return exit_codes.of_error(error)
        except SystemExit as ended:
            return int(ended.code or 0)
        return ExitCode.OK
