"""Reads a script whole: its statements, each judged before it is handed out, while the text streams."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlmigrations.exceptions import InvalidFile, Problem
from sqlmigrations.files import directives as directives_
from sqlmigrations.files.checksum import Checksum
from sqlmigrations.files.directives import Directives
from sqlmigrations.files.held import LONGEST, Room, SplitText
from sqlmigrations.files.scripts import SMALL, Script
from sqlmigrations.files.splitter import Splitter
from sqlmigrations.files.statements import (
    Statement,
    needs_autocommit,
    sends_rows,
    transaction_control,
    turns_backslashes_on,
)
from sqlmigrations.files.stored import Kept
from sqlmigrations.messages import gettext as _

if TYPE_CHECKING:
    from sqlmigrations.files.effects import Collector, MadeObject
    from sqlmigrations.files.only_new import OnlyNew

#: Statements that need not be parsed to know that they make no object.
_MAKES_NOTHING = (("INSERT",), ("UPDATE",), ("DELETE",), ("MERGE",), ("COPY",), ("TRUNCATE",), ("COMMENT",), ("GRANT",))

#: What an empty file may hold: white space as PostgreSQL's lexer knows it, and the ends of statements that are none.
_BLANK = b" \t\n\r\f\v;"


def _collector() -> Collector:
    """Return what collects the objects that a file makes; only files that run are read for them."""
    from sqlmigrations.files.effects import Collector

    return Collector(only_made=True)


def _only_new() -> OnlyNew:
    """Return what tells whether a file touches only what it makes."""
    from sqlmigrations.files.only_new import OnlyNew

    return OnlyNew()


class Reading:
    """One pass over a script: iterate once over its statements, each judged before it is handed out.

    ``directives`` is there at once; all else after the last statement. Iterating raises ``InvalidFile``.
    """

    def __init__(self, script: Script, *, objects: bool = False) -> None:
        self.script = script
        self.count = 0
        self._collector = _collector() if objects else None
        self._only_new = _only_new() if objects else None
        self._checksum = Checksum()
        self._kept = Kept()
        self._own_notes: list[str] = []
        self._is_blank = True
        split = script.take()
        if split is not None:
            self._observe(split.text)
        self._splitter = split or Splitter(self._observed(), name=script.name)
        self._splitter.skip_gap()
        self.directives = directives_.parse(self._splitter.directives, name=script.name)
        self._known = len(self._splitter.directives)

    @property
    def notes(self) -> list[str]:
        """What a reader should know: lines that were skipped, a transaction taken as the file's own."""
        return [*self._splitter.notes, *self._own_notes]

    @property
    def checksum(self) -> str:
        """The checksum of all that was read."""
        return self._checksum.value()

    @property
    def stored(self) -> str:
        """The text to keep with the record, passwords masked."""
        return self._kept.text(self.checksum, sensitive=self.directives.sensitive)

    @property
    def masked(self) -> int:
        """How many statements of the stored text have a password hidden: it can't be run again as it is."""
        return self._kept.masked

    @property
    def made(self) -> tuple[MadeObject, ...]:
        """The objects that the file makes, if it was read for them."""
        return self._collector.made() if self._collector else ()

    @property
    def touches_only_new(self) -> bool:
        """Whether it was read for its objects, and makes tables and does nothing else, unless event triggers do."""
        return self._only_new is not None and self._only_new.holds

    def _observe(self, block: bytes) -> None:
        self._checksum.update(block)
        self._kept.block(block)
        self._is_blank = self._is_blank and not block.removeprefix(BOM_UTF8).strip(_BLANK)

    def _observed(self) -> Iterator[bytes]:
        for block in self.script.blocks():
            self._observe(block)
            yield block

    def __iter__(self) -> Iterator[Statement]:
        frame = _Frame(self.script.name, self.directives)
        for statement in self._splitter:
            self._refuse_late_directives()
            for problem in judge(statement, self.directives, self.script.name):
                raise InvalidFile(problem)
            self._kept.statement(statement, is_whole=self._splitter.is_complete)
            if frame.holds(statement):
                self.count += 1
                if self._collector and statement.keywords[:1] not in _MAKES_NOTHING:
                    self._collector.add(statement)
                if self._only_new:
                    self._only_new.add(statement)
                yield statement if statement.number == self.count else replace(statement, number=self.count)
        self._refuse_late_directives()
        frame.finish()
        self._own_notes += frame.notes
        if not self.count:
            self._own_notes.append(self._why_nothing_ran())

    def _why_nothing_ran(self) -> str:
        """Say of a file without statements whether anything else stands in it."""
        if self._is_blank:
            return "the file is empty"
        only_comments = "" if self.notes else ", only comments"  # notes tell what else was skipped
        return f"the file has no statements{only_comments}"

    def _refuse_late_directives(self) -> None:
        if len(self._splitter.directives) > self._known:
            directives_.parse(self._splitter.directives, name=self.script.name)


class _Frame:
    """Tell the BEGIN that is a file's first statement, and the COMMIT that is its last, from what they surround."""

    def __init__(self, name: str, directives: Directives) -> None:
        self.notes: list[str] = []
        self._name = name
        self._directives = directives
        self._at_first = True
        self._opened = 0
        self._closed: Statement | None = None

    def holds(self, statement: Statement) -> bool:
        """Return whether the statement belongs to what is surrounded. Raises ``InvalidFile`` for control inside."""
        at_first, self._at_first = self._at_first, False
        command = transaction_control(statement)
        if self._closed is not None:
            # Something follows the COMMIT that seemed to be the last statement.
            closed, self._closed = self._closed, None
            raise InvalidFile(self._forbidden(closed, transaction_control(closed) or ""))
        if command is None:
            return True
        if at_first and command in ("BEGIN", "START TRANSACTION") and _is_plain(statement):
            if not self._directives.transaction:
                raise InvalidFile(
                    Problem(
                        _("{command} in a file with 'transaction off'", command=command),
                        self._name,
                        statement.line,
                        _(
                            "Remove the directive, or BEGIN and COMMIT: each statement has a transaction of its own "
                            "here."
                        ),
                    )
                )
            self._opened = statement.line
            return False
        if self._opened and command in ("COMMIT", "END") and _is_plain(statement):
            self._closed = statement
            return False
        raise InvalidFile(self._forbidden(statement, command))

    def finish(self) -> None:
        """Look back at the whole file. Raises ``InvalidFile`` when the transaction that it begins is never ended."""
        if not self._opened:
            return
        if self._closed is None:
            raise InvalidFile(
                Problem(
                    _("the transaction that begins here is never committed"),
                    self._name,
                    self._opened,
                    _("Remove BEGIN: each file runs in a transaction of its own."),
                )
            )
        self.notes.append(
            f"BEGIN on line {self._opened} and COMMIT on line {self._closed.line} are left out: "
            "the file runs in a transaction of its own"
        )

    def _forbidden(self, statement: Statement, command: str) -> Problem:
        own = _(
            "Each file runs in a transaction of its own, together with its record: remove it. SAVEPOINT is allowed."
        )
        each = _("With 'transaction off' each statement has a transaction of its own: remove it.")
        return Problem(
            _("{command} inside a file", command=command),
            self._name,
            statement.line,
            own if self._directives.transaction else each,
        )


def _is_plain(statement: Statement) -> bool:
    """Say whether BEGIN or COMMIT stands without modes, such as ISOLATION LEVEL or AND CHAIN."""
    return set(statement.keywords) <= {"BEGIN", "START", "COMMIT", "END", "WORK", "TRANSACTION"}


def judge(statement: Statement, directives: Directives, name: str) -> Iterator[Problem]:
    """Yield what is wrong with one statement of a file, transaction control aside."""
    command = needs_autocommit(statement)
    if command and directives.transaction:
        yield Problem(
            _("{command} cannot run inside a transaction", command=command),
            name,
            statement.line,
            _('Put "-- sqlmigrations: transaction off" at the top of the file.'),
        )
    if turns_backslashes_on(statement):
        yield Problem(
            _("standard_conforming_strings = off changes how every quote after it is read"),
            name,
            statement.line,
            _("Remove it, and write strings with backslashes as E'...'."),
        )
    if sends_rows(statement):
        yield Problem(
            _("COPY ... TO STDOUT sends rows to nobody: a run shows no results"),
            name,
            statement.line,
            _("Remove it, or have the server write them: COPY ... TO '/a/path/on/the/server'."),
        )
    if directives.batch is not None:
        yield from _judge_batched(statement, name)


def _judge_batched(statement: Statement, name: str) -> Iterator[Problem]:
    """Yield why the statement of a file with ``batch`` can't run in batches."""
    if statement.number > 1:
        hint = _("A file with `batch` has just one: put each into a file of its own.")
        yield Problem(_("a second statement in a file with 'batch'"), name, statement.line, hint)
        return
    from sqlmigrations.files.batches import Unbatchable, batched

    try:
        batched(statement, name)
    except Unbatchable as refused:
        yield refused.problem


def _ignore(statement: Statement) -> None:
    """Take no note of a statement."""


def examine(script: Script, note: Callable[[Statement], None] = _ignore, room: Room | None = None) -> list[Problem]:
    """Read a script up to 16 MB whole and return what is wrong with it; larger ones are judged as they run.

    A statement that must not be there leaves the rest readable, so all of these are found; an open quote does not.
    ``note`` is given each statement, for what else a caller wants to know of a file without reading it again. If there
    is ``room``, a short script with nothing wrong holds its text, split already, until it is read to be run.
    """
    try:
        stamp = script.stamp()
        if stamp.size > SMALL:
            script.read()
            return []
        if room is None or stamp.size > LONGEST:
            return _problems(Splitter(script.blocks(), name=script.name), script.name, note)
        text = b"".join(script.blocks())
    except InvalidFile as error:
        return [error.problem]
    splitter = Splitter([text], name=script.name)
    statements: list[Statement] = []

    def keep(statement: Statement) -> None:
        statements.append(statement)
        note(statement)

    problems = _problems(splitter, script.name, keep)
    if not problems:
        room.hold(script, SplitText(stamp, text, statements, splitter.directives, splitter.notes))
    return problems


def _problems(splitter: Splitter, name: str, note: Callable[[Statement], None]) -> list[Problem]:
    """Return what is wrong with the text that is split, by its lines."""
    problems: list[Problem] = []
    try:
        splitter.skip_gap()
        directives, _ = directives_.read(splitter.directives, name=name)
        frame = _Frame(name, directives)
        for statement in splitter:
            problems += judge(statement, directives, name)
            note(statement)
            try:
                frame.holds(statement)
            except InvalidFile as error:
                problems.append(error.problem)
        frame.finish()
    except InvalidFile as error:
        problems.append(error.problem)
    problems += directives_.read(splitter.directives, name=name)[1]
    return sorted(problems, key=lambda problem: problem.line)
