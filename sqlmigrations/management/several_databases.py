"""Runs a command on several databases: one after the other, or side by side with a block of words for each."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from io import StringIO
from typing import TYPE_CHECKING, Any

from django.core.management.base import OutputWrapper

from sqlmigrations.exceptions import SQLMigrationsError
from sqlmigrations.management.base import SQLCommand
from sqlmigrations.output import documents, exit_codes
from sqlmigrations.output.exit_codes import ExitCode
from sqlmigrations.service.results import Report, silent

if TYPE_CHECKING:
    from sqlmigrations.output.board import Board


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command answers on one database: a document, where one was asked for, an exit code, and what was done."""

    document: documents.Document | None
    code: ExitCode
    brief: str = ""

    @property
    def words(self) -> str:
        """The answer in one line."""
        return exit_codes.WORDS[self.code] + (f" ({self.brief})" if self.brief else "")


class SeveralDatabasesCommand(SQLCommand):
    """A command that answers for one database, and so for several of them, side by side if that is asked for."""

    on_all_databases = True
    #: Takes what a run tells while it goes on, beside the command's own words.
    watch: Callable[[Report], None] = staticmethod(silent)

    def on_one(self, options: dict[str, Any]) -> Answer:
        """Do what is asked for on the database of the options; return the answer."""
        raise NotImplementedError("each command answers in its own way")

    def out(self, options: dict[str, Any]) -> OutputWrapper:
        """Return where words for people go."""
        return self.stderr if options["format"] == "json" else self.stdout

    def on_databases(self, aliases: Sequence[str], options: dict[str, Any]) -> ExitCode:
        """Answer for several databases; one that fails leaves the others alone."""
        if options["jobs"] > 1:
            answers = _in_parallel(self, aliases, options)
        else:
            answers = {alias: self.among_others(alias, options) for alias in aliases}
        if options["format"] == "json":
            found = [answer.document for answer in answers.values() if answer.document is not None]
            self.stdout.write(documents.dumps(documents.of_all(self.name, found)))
        for alias, answer in answers.items():
            self.out(options).write(f"{alias}: {answer.words}")
        return exit_codes.heaviest(answer.code for answer in answers.values())

    def among_others(self, alias: str, options: dict[str, Any]) -> Answer:
        """Answer for one of several databases; an error is an answer as well."""
        self.out(options).write(self.style.MIGRATE_LABEL(f"Database {alias}"))
        try:
            return self.on_one({**options, "database": alias})
        except SQLMigrationsError as error:
            self.stderr.write(self.style.ERROR(f"{alias}: {error}"))
            return Answer(documents.of_error(self.name, alias, error), exit_codes.of_error(error))


def _in_parallel(
    command: SeveralDatabasesCommand, aliases: Sequence[str], options: dict[str, Any]
) -> dict[str, Answer]:
    """Answer for several databases at a time; show the words of each as one block, in the order of the aliases."""
    from sqlmigrations.output.board import Board
    from sqlmigrations.service.parallel import in_parallel

    with Board(command.out(options)) as board:
        blocks = {alias: _Block(command, board, alias) for alias in aliases}

        def ended(alias: str, answer: Answer) -> None:
            blocks[alias].is_done = True
            for block in blocks.values():
                if not block.is_done:
                    break
                block.show()

        try:
            return in_parallel(aliases, lambda alias: blocks[alias].answer(options), jobs=options["jobs"], ended=ended)
        finally:
            for block in blocks.values():  # what an interrupted call has said so far
                block.show()


class _Block:
    """The words of a command on one database, kept until it is their turn."""

    def __init__(self, command: SeveralDatabasesCommand, board: Board, alias: str) -> None:
        self.alias = alias
        self.is_done = False
        self._board = board
        self._command = command
        self._out, self._err = StringIO(), StringIO()

    def answer(self, options: dict[str, Any]) -> Answer:
        """Answer for the database."""
        own = copy.copy(self._command)
        own.stdout, own.stderr = OutputWrapper(self._out), OutputWrapper(self._err)
        own.watch = partial(self._board.report, self.alias)
        self._board.begin(self.alias)
        try:
            return own.among_others(self.alias, options)
        finally:
            self._board.end(self.alias)

    def show(self) -> None:
        """Show the words, once."""
        with self._board.cleared():
            for kept, shown in ((self._out, self._command.stdout), (self._err, self._command.stderr)):
                if words := kept.getvalue():
                    shown.write(words, style_func=str, ending="")
                    kept.seek(0)
                    kept.truncate()
