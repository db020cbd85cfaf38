"""Lints the files of a run: the rules, what the live catalog says to them, rows in the way of new constraints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlmigrations.conf import settings
from sqlmigrations.database import Connection
from sqlmigrations.exceptions import DangersFound, Problem
from sqlmigrations.files.scripts import SMALL, Script
from sqlmigrations.lint import squawk
from sqlmigrations.lint.base import Finding
from sqlmigrations.lint.grammar import check_grammar
from sqlmigrations.lint.linter import Source, lint, not_allowed, tell
from sqlmigrations.lint.live import confirm
from sqlmigrations.lint.preflight import preflight
from sqlmigrations.severity import Severity

#: A finding of one of these fails a check and stops a run.
SERIOUS = (Severity.ERROR, Severity.WARNING)
#: What PostgreSQL is sure to refuse, and what no run begins with, asked for or not.
REFUSED = ("drop-index-of-constraint", "drop-index-of-foreign-key")


@dataclass(frozen=True, slots=True)
class LintReport:
    """What was found in the files of a run. ``paths`` are the files on disk by name."""

    findings: tuple[Finding, ...] = ()
    #: What was found in the text and is no danger in this database.
    cleared: tuple[Finding, ...] = ()
    #: What could not be looked at, and why.
    skipped: tuple[str, ...] = ()
    paths: tuple[tuple[str, Path], ...] = ()

    def of(self, name: str) -> tuple[Finding, ...]:
        """Return the findings of one file."""
        return tuple(found for found in self.findings if found.file == name)

    @property
    def serious(self) -> tuple[Finding, ...]:
        """The findings that fail a check."""
        return tuple(found for found in self.findings if found.severity in SERIOUS)


def lint_scripts(scripts: Iterable[Script], connection: Connection | None, *, thorough: bool = False) -> LintReport:
    """Lint the files of one run, in their order.

    With a connection, which must be in autocommit, each finding is confirmed, cleared or made worse by the catalog, and
    the server reads each statement. ``thorough`` also counts the rows that are in the way of new constraints, and
    asks squawk where that is installed. Nothing is changed.

    Raises:
        InvalidFile: a file can't be read.
    """
    scripts = tuple(scripts)
    small = [script for script in scripts if script.size <= SMALL]
    skipped = [f"{script.name} is too large to be read beforehand" for script in scripts if script.size > SMALL]
    sources = sources_of(scripts)
    found = lint(sources, style=settings.LINT_STYLE)
    if connection is not None:
        found = [*confirm(found, connection), *not_allowed(check_grammar(sources, connection), sources)]
    counted: list[Finding] = []
    if connection is not None and thorough:
        counted = not_allowed(preflight(sources, connection), sources)
    if thorough:
        version = connection.info.server_version if connection is not None else None
        found += not_allowed(squawk.findings([(script.name, script.path) for script in small], version), sources)
    order = {script.name: number for number, script in enumerate(scripts)}
    # What was counted is told also where the file may have removed the rows by then: nothing else could say more.
    told = sorted([*tell(found), *counted], key=lambda one: (order[one.file], one.line))
    cleared = tuple(one for one in found if not one.stands and not one.rule.needs_database)
    return LintReport(tuple(told), cleared, tuple(skipped), tuple((script.name, script.path) for script in scripts))


def refuse(scripts: Iterable[Script], connection: Connection, *, asked: bool) -> None:
    """Keep a run from beginning that is known to go wrong: with ``asked`` by any serious finding in its files.

    Without, ``scripts`` are those that may drop an index, and what PostgreSQL is sure to refuse is looked for alone.

    Raises:
        DangersFound: with all that was found, each with what to write instead.
    """
    scripts = tuple(scripts)
    serious = lint_scripts(scripts, connection, thorough=True).serious if asked else _refused(scripts, connection)
    if serious:
        raise DangersFound([_problem(found) for found in serious])


def _refused(scripts: Iterable[Script], connection: Connection) -> tuple[Finding, ...]:
    """Return the statements that PostgreSQL is sure to refuse, as far as the catalog alone can tell that."""
    found = [one for one in lint([_source(script) for script in scripts]) if one.rule.id in REFUSED]
    return tuple(tell(confirm(found, connection))) if found else ()


def sources_of(scripts: Iterable[Script]) -> list[Source]:
    """Return the files of one run as the linter sees them, without those that are too large."""
    return [_source(script) for script in scripts if script.size <= SMALL]


def _source(script: Script) -> Source:
    reading = script.read()
    return Source(script.name, reading.directives, tuple(reading))


def _problem(found: Finding) -> Problem:
    because = f" ({found.because})" if found.because else ""
    return Problem(f"{found.message}{because} [{found.rule.id}]", found.file, found.line, _instead(found))


def _instead(found: Finding) -> str:
    indented = found.rewrite.replace("\n", "\n    ")
    return f"Write instead:\n    {indented}" if found.rewrite else ""
