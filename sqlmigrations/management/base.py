"""What our commands share: their options, their errors, their exit codes."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Iterable
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from sqlmigrations.exceptions import ConfigurationError, SQLMigrationsError
from sqlmigrations.files.directives import milliseconds
from sqlmigrations.management.streams import (
    NOBODY_READS,
    Outlived,
    heard_by_nobody,
    is_closed,
    leave_unread,
    not_written,
    take_any_text,
)
from sqlmigrations.management.ways import Way, refuse_ignored
from sqlmigrations.output import documents, exit_codes
from sqlmigrations.output.exit_codes import ExitCode
from sqlmigrations.service.told import LOCK_WAIT, Told, Waiting

#: What each value of ``--format`` writes.
_FORMATS = {
    "text": "words for people",
    "json": "one document on stdout, words for people on stderr",
    "github": "annotations for a GitHub workflow",
    "prometheus": "metrics for node_exporter's textfile collector",
}

_EPILOG = "Exit codes: " + "; ".join(f"{code:d}: {words}" for code, words in exit_codes.WORDS.items()) + "."


class Terminated(KeyboardInterrupt):
    """SIGTERM, which ends a run as Ctrl-C does: what is in work is cancelled and rolled back."""


class SQLCommand(BaseCommand):
    """A command that parses arguments, calls one service, words the result."""

    #: The command's name in JSON documents.
    name = ""
    #: Whether it can work on one database after the other.
    on_all_databases = False
    #: Which databases these are.
    all_databases = "every database that has SQL files"
    #: What ``--format`` takes.
    formats: tuple[str, ...] = ("text", "json")
    #: In which ways it is used, and which options have a meaning in which.
    ways: tuple[Way, ...] = ()
    #: Whether there is a standard output: one that is closed (`>&-`) is none.
    _has_stdout = True
    #: Our own checks must never keep the command from running that mends what they found.
    requires_system_checks = ()
    #: Django's own; its stubs leave it out.
    _called_from_command_line: bool

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options that all commands have."""
        databases = parser.add_mutually_exclusive_group()
        databases.add_argument(
            "--database",
            default=DEFAULT_DB_ALIAS,
            choices=tuple(connections),
            help="The alias of the database to work on; 'default' when not given.",
        )
        if self.on_all_databases:
            databases.add_argument("--all-databases", action="store_true", help=f"Work on {self.all_databases}.")
            parser.add_argument(
                "--jobs",
                metavar="N",
                type=positive,
                default=1,
                help="With --all-databases: work on so many at a time, each in a thread with connections of its own; "
                "1 when not given.",
            )
        parser.add_argument(
            "--format",
            default="text",
            choices=self.formats,
            help="; ".join(f"{name}: {_FORMATS[name]}" for name in self.formats) + ".",
        )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Return the parser of the arguments, whose help ends with what the exit codes mean."""
        return super().create_parser(prog_name, subcommand, epilog=_EPILOG, **kwargs)

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run as Django does, without colours where the environment asks for none: https://no-color.org."""
        if os.environ.get("NO_COLOR") and not options.get("force_color"):
            options["no_color"] = True
        if is_closed(self.stdout):
            self.stdout, self._has_stdout = heard_by_nobody(), False
        if is_closed(self.stderr):
            self.stderr = heard_by_nobody()
        if self._called_from_command_line:
            take_any_text(self.stdout, is_document=options["format"] != "text")
            self.stdout, self.stderr = Outlived(self.stdout), Outlived(self.stderr)
        return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command and turn its end into an exit code.

        Raises:
            CommandError: the question could not be asked, or somebody else holds the lock.
            SystemExit: with the code of the answer, when it isn't 0.
        """
        try:
            refuse_ignored(self.ways, options)
            self._refuse_lost_document(options)
            self.judge_settings()
            with _TerminationAsInterrupt():
                code = self.run(**options)
            code = self._judge_lost_words(code, options)
        except SQLMigrationsError as error:
            if options["format"] == "json":
                self.stdout.write(documents.dumps(documents.of_error(self.name, options["database"], error)))
            raise CommandError(str(error), returncode=exit_codes.of_error(error)) from error
        except BrokenPipeError:
            leave_unread(sys.stdout)
            code = ExitCode.OK
        except Terminated:
            self._say_interrupted("Terminated", options)
            code = ExitCode.TERMINATED
        except KeyboardInterrupt:
            self._say_interrupted("Interrupted", options)
            code = ExitCode.INTERRUPTED
        if code:
            sys.exit(code)

    def _refuse_lost_document(self, options: dict[str, Any]) -> None:
        """Check that a document can be written; without words for people the exit code still answers.

        Raises:
            ConfigurationError: the standard output is closed.
        """
        if not self._has_stdout and _is_document(options):
            raise ConfigurationError(
                NOBODY_READS,
                hint="Open it, or leave --format and --export out: the exit code answers.",
            )

    def _judge_lost_words(self, code: ExitCode, options: dict[str, Any]) -> ExitCode:
        """Say that the standard output could not be written; a document that isn't whole is no answer."""
        try:
            self.stdout.flush()
        except BrokenPipeError:
            leave_unread(self.stdout)
        lost = self.stdout.lost if isinstance(self.stdout, Outlived) else None
        if lost is None:
            return code
        self.stderr.write(f"{not_written(lost)} What a run did is on record.")
        return ExitCode.COULD_NOT_ASK if _is_document(options) else code

    def judge_settings(self) -> None:
        """Refuse to begin with settings that nobody can work with.

        Raises:
            ConfigurationError: a setting has a wrong value.
        """
        from sqlmigrations.service.wrong_settings import judge_settings

        judge_settings()

    def run(self, **options: Any) -> ExitCode:
        """Do the work and return its exit code."""
        raise NotImplementedError("each command runs in its own way")

    def ask(self, question: str) -> bool:
        """Ask a person a question that only `yes` answers.

        Raises:
            ConfigurationError: nobody is there to be asked.
        """
        if sys.stdin is None or not sys.stdin.isatty():
            raise ConfigurationError("Nobody is there to be asked.", hint="If you mean it, add --noinput.")
        self.stderr.write(f"{question} [yes/no] ", ending="")
        self.stderr.flush()
        return input().strip().lower() in ("yes", "y")

    def show(self, options: dict[str, Any], document: documents.Document, lines: Iterable[str]) -> None:
        """Write an answer to the standard output: its document, or its lines of text."""
        if options["format"] == "json":
            self.stdout.write(documents.dumps(document))
            return
        for line in lines:
            self.stdout.write(line)

    def tell_waiting(self, told: Told) -> None:
        """Say whom a run waits for; what else it tells is not for a command that shows no run."""
        if isinstance(told, Waiting):
            self.stderr.write(self.style.WARNING(f"Waiting for {told.holder}"))

    def _say_interrupted(self, what: str, options: dict[str, Any]) -> None:
        words = f"{what}: the statement in work was cancelled and rolled back."
        if options["format"] == "json":
            error = SQLMigrationsError(words)
            self.stdout.write(documents.dumps(documents.of_error(self.name, options["database"], error)))
        self.stderr.write(self.style.ERROR(f"\n{words}"))


def _is_document(options: dict[str, Any]) -> bool:
    """Tell whether what goes to the standard output is for programs, and so of no use unless it is whole."""
    return bool(options["format"] != "text" or options.get("export") == "-")


def duration(text: str) -> float:
    """Read a duration such as ``500ms``, ``60s``, ``5min`` or ``60`` and return its seconds."""
    given = text.strip()
    found = milliseconds(f"{given}s" if given[-1:].isdigit() else given)
    if found is None:
        raise argparse.ArgumentTypeError(f"'{text}' is no duration; write 500ms, 60s, 5min or 1h")
    return found / 1000


def add_lock_wait(parser: argparse._ActionsContainer) -> None:
    """Add the option that says how long a command waits for another run."""
    parser.add_argument(
        "--lock-wait",
        metavar="DURATION",
        type=duration,
        default=LOCK_WAIT,
        help=f"How long to wait for another run, such as 500ms, 60s or 5min; {LOCK_WAIT:.0f}s when not given.",
    )


def positive(text: str) -> int:
    """Read a number of at least 1."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of at least 1")
    return int(text)


def check_jobs(options: dict[str, Any], *one_by_one: str) -> None:
    """Check that ``--jobs`` goes with what else is asked for; flags ``one_by_one`` ask questions.

    Raises:
        ConfigurationError: it doesn't.
    """
    if options["jobs"] == 1:
        return
    if not options["all_databases"]:
        raise ConfigurationError("--jobs goes with --all-databases.")
    for flag in one_by_one:
        if options[flag] not in (None, False):
            raise ConfigurationError(
                f"--{flag.replace('_', '-')} settles one database after the other; --jobs works on several at a time.",
                hint="Leave --jobs out.",
            )


class _TerminationAsInterrupt:
    """Turn SIGTERM into an exception while the block runs, where signals can be handled."""

    def __enter__(self) -> None:
        self._previous: Any = None
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGTERM, _terminate)

    def __exit__(self, *exc_info: object) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGTERM, self._previous)


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated
