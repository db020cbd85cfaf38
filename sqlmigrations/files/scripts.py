"""SQL files and the scripts beside them, read and judged while they stream."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sqlmigrations.exceptions import InvalidFile, Problem
from sqlmigrations.files import directives as directives_
from sqlmigrations.files.checksum import Checksum, checksum
from sqlmigrations.files.directives import Directives
from sqlmigrations.files.kinds import Kind
from sqlmigrations.files.masking import mask
from sqlmigrations.files.splitter import BLOCK, BOM, Splitter
from sqlmigrations.files.statements import PARSED, Statement, needs_autocommit, transaction_control

#: Files up to this size, in bytes, are read and judged whole before anything runs.
SMALL = 16 * 1024 * 1024
#: Texts up to this size, in bytes, are kept whole with the record.
KEPT = 1024 * 1024

_standard_strings = re.compile(rb"standard_conforming_strings\s*(?:=|\bto\b|',)\s*'?(?:off|false|no|0)", re.IGNORECASE)
_values = re.compile(rb"\bvalues\b", re.IGNORECASE)


@dataclass(frozen=True)
class Script:
    """A file of SQL on disk: a SQL file itself, its down script or its verify script."""

    name: str
    path: Path

    def blocks(self) -> Iterator[bytes]:
        """Yield the file in blocks. Raises ``InvalidFile`` when it can't be read."""
        try:
            with self.path.open("rb") as file:
                while block := file.read(BLOCK):
                    yield block
        except OSError as error:
            raise InvalidFile(_unreadable(self.name, error)) from error

    def read(self) -> Reading:
        """Begin to read the file. Raises ``InvalidFile`` for a directive that is wrong."""
        return Reading(self)

    @functools.cached_property
    def directives(self) -> Directives:
        """What the file says about itself; reads its first lines once. Raises ``InvalidFile``."""
        return self.read().directives

    @functools.cached_property
    def checksum(self) -> str:
        """The checksum of the text on disk; reads the file once."""
        return checksum(self.blocks())

    @property
    def size(self) -> int:
        """The file's size in bytes."""
        return self.path.stat().st_size


@dataclass(frozen=True)
class SQLFile(Script):
    """A SQL file with its companions. ``folder`` is an app's label, or empty for the project's own folders."""

    kind: Kind = Kind.VERSIONED
    folder: str = ""
    down: Script | None = None
    verify: Script | None = None

    @property
    def number(self) -> str | None:
        """The digits that the file's own name begins with."""
        digits = re.match(r"[0-9]+", self.name.rpartition("/")[2])
        return digits.group() if digits else None


class Reading:
    """One pass over a script: iterate once over its statements, each judged before it is handed out.

    ``directives`` is there at once; ``checksum``, ``count``, ``notes`` and ``stored`` after the last statement.
    Iterating raises ``InvalidFile``.
    """

    def __init__(self, script: Script) -> None:
        self.script = script
        self.count = 0
        self.masked = 0
        self._checksum = Checksum()
        self._kept = _Kept()
        self._splitter = Splitter(self._observed(), name=script.name)
        self._own_notes: list[str] = []
        self._splitter.skip_gap()
        self.directives = directives_.parse(self._splitter.directives, name=script.name)
        self._seen = len(self._splitter.directives)
        self._done = False

    @property
    def notes(self) -> list[str]:
        """What a reader should know: lines that were skipped, a transaction taken as the file's body."""
        return [*self._splitter.notes, *self._own_notes]

    @property
    def checksum(self) -> str:
        """The checksum of all that was read."""
        return self._checksum.value()

    @property
    def stored(self) -> str:
        """The text to keep with the record, passwords masked."""
        return self._kept.text(self.checksum, sensitive=self.directives.sensitive)

    def _observed(self) -> Iterator[bytes]:
        for block in self.script.blocks():
            self._checksum.update(block)
            self._kept.block(block)
            yield block

    def __iter__(self) -> Iterator[Statement]:
        body = _Body(self.script.name)
        for statement in self._splitter:
            self._check_directives()
            for problem in judge(statement, self.directives, self.script.name):
                raise InvalidFile(problem)
            self._kept.statement(statement)
            taken = body.take(statement)
            if taken is not None:
                self.count += 1
                yield _numbered(taken, self.count)
        self._check_directives()
        body.finish()
        if body.wrapped:
            self._own_notes.append(f"the transaction from line {body.first_line} is taken as the file's own")
        if not self.count:
            self._own_notes.append("the file is empty")

    def _check_directives(self) -> None:
        if len(self._splitter.directives) > self._seen:
            directives_.parse(self._splitter.directives, name=self.script.name)


def _numbered(statement: Statement, number: int) -> Statement:
    if statement.number == number:
        return statement
    return Statement(
        number,
        statement.sql,
        statement.offset,
        statement.char_offset,
        statement.line,
        statement.keywords,
        statement.data,
        statement.data_line,
    )


class _Body:
    """Take a BEGIN that is the first statement and the COMMIT that is the last out of a file; refuse any other."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.first_line = 0
        self._begun = 0
        self._ended: Statement | None = None
        self._any = False

    @property
    def wrapped(self) -> bool:
        """Whether one pair surrounds the whole file."""
        return bool(self.first_line)

    def take(self, statement: Statement) -> Statement | None:
        """Return the statement if it belongs to the body. Raises ``InvalidFile`` for transaction control inside."""
        first, self._any = not self._any, True
        command = transaction_control(statement)
        if self._ended is not None:
            # Something follows the COMMIT that should have been the last statement.
            raise InvalidFile(_forbidden(self._ended, transaction_control(self._ended) or "COMMIT", self.name))
        if command is None:
            return statement
        if first and command in ("BEGIN", "START TRANSACTION") and _plain(statement):
            self.first_line = statement.line
            return None
        if self.wrapped and command in ("COMMIT", "END") and _plain(statement):
            self._ended = statement
            return None
        raise InvalidFile(_forbidden(statement, command, self.name))

    def finish(self) -> None:
        """Raise ``InvalidFile`` when the transaction that the file begins is never ended."""
        if self.wrapped and self._ended is None:
            raise InvalidFile(
                Problem(
                    "the transaction that begins here is never committed",
                    self.name,
                    self.first_line,
                    "Remove BEGIN: each file runs in a transaction of its own.",
                )
            )


def _plain(statement: Statement) -> bool:
    """Say whether BEGIN or COMMIT stands without modes, such as ISOLATION LEVEL or AND CHAIN."""
    return all(word in ("BEGIN", "START", "COMMIT", "END", "WORK", "TRANSACTION") for word in statement.keywords)


def _forbidden(statement: Statement, command: str, name: str) -> Problem:
    return Problem(
        f"{command} inside a file",
        name,
        statement.line,
        "Each file runs in a transaction of its own, together with its record: remove it. SAVEPOINT is allowed.",
    )


def judge(statement: Statement, directives: Directives, name: str) -> Iterator[Problem]:
    """Yield what is wrong with one statement of a file, transaction control aside."""
    command = needs_autocommit(statement)
    if command and directives.transaction:
        yield Problem(
            f"{command} cannot run inside a transaction",
            name,
            statement.line,
            'Put "-- sqlmigrations: transaction off" at the top of the file.',
        )
    if _standard_strings.search(statement.sql[:PARSED]) and statement.keywords[:1] in (("SET",), ("SELECT",)):
        yield Problem(
            "standard_conforming_strings = off changes how every quote after it is read",
            name,
            statement.line,
            "Remove it, and write strings with backslashes as E'...'.",
        )


@dataclass
class _Kept:
    """Collect the text to keep with the record, in bounded memory."""

    _blocks: list[bytes] = field(default_factory=list)
    _size: int = 0
    _masked: list[tuple[int, int, bytes]] = field(default_factory=list)
    _statements: list[str] = field(default_factory=list)
    _statements_size: int = 0
    _left_out: int = 0

    def block(self, block: bytes) -> None:
        """Take the next block of the file."""
        self._size += len(block)
        if self._size <= KEPT:
            self._blocks.append(block)
        else:
            self._blocks.clear()

    def statement(self, statement: Statement) -> None:
        """Take the next statement of the file."""
        masked = mask(statement)
        if masked != statement.sql:
            self._masked.append((statement.offset, len(statement.sql), masked))
        if self._statements_size > KEPT:
            self._left_out += 1
            return
        text = _without_rows(masked)
        if statement.data is not None:
            text += "\n-- its data is left out"
        self._statements.append(text)
        self._statements_size += len(text)

    def text(self, checksum: str, *, sensitive: bool) -> str:
        """Return what is kept."""
        if sensitive:
            return f"-- sensitive: only the checksum is kept: {checksum}\n"
        if self._size <= KEPT:
            return self._whole()
        header = f"-- {self._size} bytes, {checksum}: the statements without their data\n"
        footer = f"\n-- {self._left_out} more statements are left out\n" if self._left_out else "\n"
        return header + "\n".join(self._statements) + footer

    def _whole(self) -> str:
        text = b"".join(self._blocks)
        for offset, length, masked in reversed(self._masked):
            text = text[:offset] + masked + text[offset + length :]
        return text.removeprefix(BOM).decode()


_LONG = 16 * 1024


def _without_rows(sql: bytes) -> str:
    """Return the statement, a long one cut: an INSERT after VALUES."""
    if len(sql) <= _LONG:
        return sql.decode()
    values = _values.search(sql, 0, _LONG)
    cut = values.end() if values else _LONG
    return sql[:cut].decode(errors="ignore") + f" -- {len(sql) - cut} more bytes are left out"


def _unreadable(name: str, error: OSError) -> Problem:
    return Problem(f"can't be read: {error.strerror or error}", name, hint="Look at the file's owner and its rights.")


def examine(script: Script) -> list[Problem]:
    """Read a script up to 16 MB whole and return what is wrong with it; larger ones are judged as they run.

    A statement that must not be there leaves the rest readable, so all of these are found; an open quote does not.
    """
    problems: list[Problem] = []
    try:
        if script.size > SMALL:
            script.read()
            return []
        splitter = Splitter(script.blocks(), name=script.name)
        splitter.skip_gap()
        directives, _ = directives_.read(splitter.directives, name=script.name)
        body = _Body(script.name)
        for statement in splitter:
            problems += judge(statement, directives, script.name)
            try:
                body.take(statement)
            except InvalidFile as error:
                problems.append(error.problem)
        problems += directives_.read(splitter.directives, name=script.name)[1]
        body.finish()
    except OSError as error:
        problems.append(_unreadable(script.name, error))
    except InvalidFile as error:
        problems.append(error.problem)
    return sorted(problems, key=lambda problem: problem.line)
