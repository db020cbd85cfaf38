"""Every error that this package raises on purpose; one root, so that callers can catch them all."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmigrations.messages import joined


class SQLMigrationsError(Exception):
    """Something about SQL files, their history or the database is not as it must be.

    ``message`` says what happened and why, ``where`` is a place such as ``001_users.sql:12``
    (empty when there is none) and ``hint`` says what to do next.
    """

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        self.message = message
        self.where = where
        self.hint = hint
        super().__init__(message)

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}\n  {self.hint}" if self.hint else text


class ConfigurationError(SQLMigrationsError):
    """The settings or the arguments of a call can't work."""


class UnknownFile(ConfigurationError, LookupError):
    """A name was given that no SQL file has."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a file on disk."""

    message: str
    file: str = ""
    line: int = 0
    hint: str = ""

    @property
    def where(self) -> str:
        """The place as ``file:line``, as much of it as is known."""
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class SameNumber(Problem):
    """Several files, called ``names``, have one number. Where all are applied, nothing can be done any more."""

    names: tuple[str, ...] = ()


class InvalidFile(SQLMigrationsError):
    """A SQL file can't be read or holds something that is never run."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message, where=problem.where, hint=problem.hint)


class InvalidFiles(SQLMigrationsError):
    """Some SQL files are invalid; nothing was run."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__(joined("\n", map(_whole, problems)))


def _whole(problem: Problem) -> str:
    """Return a problem with its place and its hint."""
    told = joined(": ", [problem.where, problem.message]) if problem.where else problem.message
    return joined("\n  ", [told, problem.hint]) if problem.hint else told


class DangersFound(SQLMigrationsError):
    """The linter found what would fail, stop others or lose something; nothing was run."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__(
            "\n".join(str(InvalidFile(problem)) for problem in problems),
            hint="Nothing was run. What is fine here is told so in the file: -- sqlmigrations: allow RULE: the reason.",
        )


class HistoryIsReadOnly(SQLMigrationsError, TypeError):
    """The history is written by the runner alone."""


class RunLockHeld(SQLMigrationsError):
    """Another run holds the lock of this database."""


class DatabaseUnavailable(SQLMigrationsError):
    """The database can't be reached, or is not PostgreSQL."""
