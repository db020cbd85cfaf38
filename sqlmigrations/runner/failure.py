"""What went wrong with a file, in the words of PostgreSQL and at its place in the file."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from sqlmigrations.exceptions import InvalidFile
from sqlmigrations.files.masking import mask
from sqlmigrations.files.statements import Statement
from sqlmigrations.files.tokens import DOLLAR_OPENER
from sqlmigrations.messages import joined
from sqlmigrations.runner.server_words import line_of_block, line_of_copy_data
from sqlmigrations.runner.watcher import Blocker

#: Characters of a statement that are kept with a failure.
EXCERPT = 2_000

_DOLLAR_QUOTE = re.compile(DOLLAR_OPENER)


@dataclass(frozen=True, slots=True)
class Failure:
    """One error, with all that a person needs to mend it."""

    message: str
    file: str
    line: int | None = None
    column: int | None = None
    source: str = ""
    statement: str = ""
    sqlstate: str = ""
    detail: str = ""
    hint: str = ""
    context: str = ""
    advice: str = ""
    blockers: tuple[Blocker, ...] = ()
    statement_line: int | None = None

    @property
    def where(self) -> str:
        """The place as ``file:line``."""
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def text(self) -> str:
        """The message with PostgreSQL's DETAIL and HINT, as it is kept with the record."""
        lines = [self.message]
        lines += [f"DETAIL: {self.detail}"] if self.detail else []
        lines += [f"HINT: {self.hint}"] if self.hint else []
        return "\n".join(lines)

    def advised(self, advice: str) -> Failure:
        """Return it with more to do about it."""
        return replace(self, advice=joined(" ", [self.advice, advice]) if self.advice else advice)

    def without_data(self) -> Failure:
        """Return it as a sensitive file's failure is told and kept: no words that could hold a value of the file's.

        PostgreSQL's message is among them: it quotes what can't be read as a number, or stands near a syntax error.
        """
        message = self.message if not self.sqlstate else f"{_condition(self.sqlstate)} (the file is sensitive)"
        return replace(
            self, message=message, detail="", hint="", context="", statement="", statement_line=None, source=""
        )


def _condition(sqlstate: str) -> str:
    """Return the name of an error's condition."""
    try:
        return psycopg.errors.lookup(sqlstate).__name__
    except KeyError:
        return "an error"


class StatementFailed(Exception):
    """PostgreSQL refused a statement; ``__cause__`` is its error.

    ``before`` is how many characters were sent in front of it in the same message: the error's position counts them.
    """

    def __init__(self, statement: Statement, error: psycopg.Error, before: int = 0) -> None:
        self.statement = statement
        self.error = error
        self.before = before
        super().__init__(str(error))


def of_statement(file: str, path: Path, failed: StatementFailed) -> Failure:
    """Describe the failure of one statement, at the line and column that PostgreSQL names."""
    statement = failed.statement
    diagnostic = failed.error.diag
    line, column = _place(statement, diagnostic, failed.before)
    source, indent = _source_line(path, statement, line)
    if column is not None and line == statement.line:
        column += indent
    masked = mask(statement)
    if masked != statement.sql or _hides_password(source):
        source, column = "", None
    return Failure(
        message=_message(failed.error),
        file=file,
        line=line,
        column=column,
        source=source,
        statement=masked.decode()[:EXCERPT],
        statement_line=statement.line,
        sqlstate=failed.error.sqlstate or "",
        detail=diagnostic.message_detail or "",
        hint=diagnostic.message_hint or "",
        context=diagnostic.context or "",
    )


def _hides_password(source: str) -> bool:
    """Tell whether a line of a file holds a password, whichever statement of the line that belongs to."""
    line = source.encode()
    return mask(Statement(1, line, keywords=("ALTER", "ROLE"))) != line


def of_database(file: str, error: psycopg.Error) -> Failure:
    """Describe an error that no single statement caused, such as a deferred constraint at the end."""
    return Failure(
        message=_message(error),
        file=file,
        sqlstate=error.sqlstate or "",
        detail=error.diag.message_detail or "",
        hint=error.diag.message_hint or "",
        context=error.diag.context or "",
    )


def of_file(error: InvalidFile) -> Failure:
    """Describe what was found in a file while it streamed."""
    problem = error.problem
    return Failure(message=problem.message, file=problem.file, line=problem.line or None, advice=problem.hint)


def _message(error: psycopg.Error) -> str:
    return error.diag.message_primary or str(error).strip() or type(error).__name__


def _place(statement: Statement, diagnostic: psycopg.errors.Diagnostic, sent: int) -> tuple[int, int | None]:
    """Return the file's line and the statement's column; positions count characters from 1, ``sent`` ones before it."""
    if diagnostic.statement_position:
        before = statement.text[: int(diagnostic.statement_position) - 1 - sent]
        return statement.line + before.count("\n"), len(before) - (before.rfind("\n") + 1) + 1
    context = diagnostic.context or ""
    if statement.data is not None and (row := line_of_copy_data(context)):
        return statement.data_line + row - 1, None
    if statement.keywords[:1] == ("DO",) and (inner := line_of_block(context)):
        body = _DOLLAR_QUOTE.search(statement.sql)
        opening = statement.sql[: body.start()].count(b"\n") if body else 0
        return statement.line + opening + inner - 1, None
    return statement.line, None


def _source_line(path: Path, statement: Statement, line: int) -> tuple[str, int]:
    """Return the file's line of this number, and how far into its first line the statement begins."""
    skip = line - statement.line
    within = statement.sql.split(b"\n", skip + 1)
    if skip > 0 and len(within) > skip:
        return within[skip].decode(errors="replace").rstrip("\r"), 0
    try:
        with path.open("rb") as stream:
            start = max(0, statement.offset - EXCERPT)
            stream.seek(start)
            before = stream.read(statement.offset - start).rpartition(b"\n")[2].decode(errors="replace")
            rest = stream.read(EXCERPT).partition(b"\n")[0].decode(errors="replace").rstrip("\r")
    except OSError:  # the file has gone meanwhile: the statement's own text must do
        before, rest = "", within[0].decode(errors="replace")
    before = before.removeprefix("\ufeff")
    if skip > 0:
        return "", len(before)
    return before + rest, len(before)
