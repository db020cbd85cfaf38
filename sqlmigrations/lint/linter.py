"""Look at the statements of a run's files, in order, and say what was found. Pure: no database, no disk."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from sqlmigrations.files.directives import Directives
from sqlmigrations.files.masking import mask
from sqlmigrations.files.statements import Statement
from sqlmigrations.files.trees import NOT_UNDERSTOOD, Path
from sqlmigrations.lint import rules
from sqlmigrations.lint.actions import UNPARSED, UNREADABLE, Action, actions
from sqlmigrations.lint.base import LOOKS, RULES, Certainty, Finding, Hit, Look, Rule, Subject, finding
from sqlmigrations.lint.keywords import hits_by_keywords
from sqlmigrations.lint.rewriting import identifier
from sqlmigrations.lint.scope import Scope
from sqlmigrations.lint.taken_locks import ACCESS_EXCLUSIVE, BLOCKING, taken
from sqlmigrations.messages import gettext as _
from sqlmigrations.severity import Severity

__all__ = ["RULES", "Source", "lint", "not_allowed", "rules", "tell"]


#: Why what is made in the same run is no danger, and what a database can still say to that.
MADE = "it is made in the same run"
PERHAPS = "it is made in the same run, unless it is there already"


@dataclass(frozen=True)
class Source:
    """One file as the linter sees it."""

    name: str
    directives: Directives
    statements: tuple[Statement, ...]


def lint(sources: Iterable[Source], *, style: bool = False) -> list[Finding]:
    """Return what is found in the files of one run, in the order in which they run.

    Findings about what is made in the same run are among them, as cleared: a database may tell that it was there
    before. Those of rules that need a database are guesses that only mean something once the catalog was asked.
    """
    scope = Scope()
    found = [one for source in sources for one in _File(source, scope, style).findings()]
    return [
        one for one in found if not (one.rule.id == "foreign-key-without-index" and _is_indexed(one.subject, scope))
    ]


def _is_indexed(subject: Subject, scope: Scope) -> bool:
    """Say whether the run makes an index that begins with the columns of a foreign key."""
    return bool(subject.table) and frozenset(subject.columns) in scope.indexed.get(subject.table[-1], ())


def foreseen(sources: Iterable[Source]) -> dict[str, dict[Path, str]]:
    """Return, for each file of one run, the strongest lock with which it keeps others from each relation of before.

    That is what the text tells; what only the catalog knows, such as the other table of a foreign key, is not in it.
    """
    scope = Scope()
    return {source.name: _locks_of(source, scope) for source in sources}


def _locks_of(source: Source, scope: Scope) -> dict[Path, str]:
    scope.begin(source.name, source.directives)
    found: dict[Path, str] = {}
    for action in (action for statement in source.statements for action in actions(statement)):
        with suppress(*NOT_UNDERSTOOD):  # told as unparsed
            for table, mode in taken(action) if action.runs else ():
                if table and not scope.is_new(table):
                    found[table] = max(mode, found.get(table, mode), key=BLOCKING.index)
            scope.note(action)
    return found


def not_allowed(found: Iterable[Finding], sources: Iterable[Source]) -> list[Finding]:
    """Return those findings that no directive of their file allows."""
    allowed = {source.name: {id for id, _reason in source.directives.allow_rules} for source in sources}
    return [one for one in found if one.rule.id not in allowed.get(one.file, ())]


class _File:
    """The look at one file."""

    def __init__(self, source: Source, scope: Scope, style: bool) -> None:
        self.source, self.scope, self.style = source, scope, style
        self.found: list[Finding] = []
        #: What a function of this file would do, told when something calls it.
        self.called: set[str] = set()

    def findings(self) -> list[Finding]:
        """Look at every statement, then at what the file allows."""
        self.scope.begin(self.source.name, self.source.directives)
        self.scope.file.statements = len(self.source.statements)
        for statement in self.source.statements:
            self._statement(statement)
        self._forgive_renames()
        return [*self._directives(), *self._not_allowed()]

    def _statement(self, statement: Statement) -> None:
        for action in actions(statement):
            try:
                self._action(action)
            except NOT_UNDERSTOOD:
                self._add(RULES["unparsed"], Hit(_("This could not be read: its tree has an unknown shape.")), action)

    def _action(self, action: Action) -> None:
        hits = [(rule, hit) for rule, look in _looks(action.kind, self.style) for hit in look(action, self.scope)]
        if action.kind in (UNPARSED, UNREADABLE):
            hits += [(RULES[id], hit) for id, hit in hits_by_keywords(action)]
        for rule, hit in hits:
            self._add(rule, hit, action)
        if action.runs:
            self._locks(action, slow=[hit for rule, hit in hits if rule.slow])
        self.scope.note(action)

    def _add(self, rule: Rule, hit: Hit, action: Action) -> None:
        found = finding(rule, hit, self.source.name, action.statement.number, action.line)
        if (shown := self._showable(hit.rewrite)) != hit.rewrite:
            found = replace(found, rewrite=shown)
        if action.inside:
            template = _("In {place}: {message}") if action.runs else _("When {place} runs: {message}")
            found = replace(found, message=_(template, place=action.inside, message=found.message))
        if rule.needs_database and self.scope.gone:
            found = replace(found, subject=replace(found.subject, gone=frozenset(self.scope.gone)))
        if not action.runs:
            found = replace(found, severity=Severity.INFO)
        if hit.subject.table and self.scope.is_new(hit.subject.table):
            made = PERHAPS if hit.subject.table in self.scope.perhaps else MADE
            found = replace(found, certainty=Certainty.CLEARED, because=made)
        self.found.append(found)

    def _showable(self, rewrite: str) -> str:
        """Return what may be shown of a statement: no passwords, and nothing of a sensitive file."""
        if self.source.directives.sensitive:
            return ""
        return mask(Statement(0, rewrite.encode())).decode() if rewrite else ""

    def _locks(self, action: Action, slow: list[Hit]) -> None:
        """Note the locks that are held from here on; find what is slow under those of before."""
        file = self.scope.file
        for hit in slow:
            self._several_alters(action, hit)
        if self.scope.in_transaction and slow and not action.table:
            self._work_under_lock(action, slow[0])
        for table, mode in taken(action):
            if not table or self.scope.is_new(table):
                continue
            if self.scope.in_transaction:
                before = file.held.get(table)
                if before is None or BLOCKING.index(mode) > BLOCKING.index(before[0]):
                    file.held[table] = (mode, action.line)
            elif file.lock_timeout in (None, "") and file.directives.lock_timeout is None:
                self._unguarded(action, table, mode)

    def _work_under_lock(self, action: Action, hit: Hit) -> None:
        """Find slow work that makes those wait longer who wait for another table."""
        if self.scope.is_new(hit.subject.table):
            return
        held = {
            table: (mode, line)
            for table, (mode, line) in self.scope.file.held.items()
            if table != hit.subject.table and line < action.line
        }
        if not held or any(found.rule.id == "work-under-lock" for found in self.found):
            return
        table, (mode, line) = next(iter(held.items()))
        template = (
            _("Nobody can read {table}, locked on line {line}, until this slow statement is done.")
            if mode == ACCESS_EXCLUSIVE
            else _("Nobody can write to {table}, locked on line {line}, until this slow statement is done.")
        )
        work = Hit(
            _(template, table=identifier(table), line=line),
            f"-- In a file of its own:\n{action.text};",
            Subject(table, other=hit.subject.table),
        )
        self._add(RULES["work-under-lock"], work, action)

    def _several_alters(self, action: Action, hit: Hit) -> None:
        """Find a second statement that reads or rewrites a table which an earlier one has."""
        if not action.table or self.scope.is_new(action.table):
            return
        first = self.scope.file.scanned.setdefault(action.table, (action.statement.number, action.line))
        if first[0] != action.statement.number:
            merged = Hit(
                _(
                    "Line {line} reads or rewrites {table} already: as one ALTER TABLE both share one pass.",
                    line=first[1],
                    table=identifier(action.table),
                ),
                f"-- Put it behind the ALTER TABLE of line {first[1]}, after a comma:\n{action.clause}",
                Subject(action.table),
            )
            self._add(RULES["several-alters"], merged, action)

    def _unguarded(self, action: Action, table: Path, mode: str) -> None:
        whom = _("read or write") if mode == ACCESS_EXCLUSIVE else _("write")
        unguarded = Hit(
            _(
                "While this waits for its {mode} lock, without end, everybody who wants to {whom} {table} waits too.",
                mode=mode,
                whom=whom,
                table=identifier(table),
            ),
            f"-- In a file without `transaction off`:\n{action.text};",
            Subject(table),
        )
        self._add(RULES["unguarded-lock"], unguarded, action)

    def _forgive_renames(self) -> None:
        """Drop a renamed table whose old name a view of this file has."""
        views = self.scope.file.views
        self.found = [
            found for found in self.found if not (found.rule.id == "rename-table" and found.subject.table in views)
        ]

    def _directives(self) -> Iterator[Finding]:
        """Find what the directives say that has no effect, or has too much."""
        directives = self.source.directives
        present = {found.rule.id for found in self.found}
        for (id, _reason), line in zip(directives.allow_rules, directives.allow_lines, strict=False):
            if id.startswith("squawk-"):
                continue  # its rules come and go with its versions
            if id not in RULES:
                yield self._about_file("unknown-rule", _("No rule is called {id}.", id=id), line)
            elif id not in present and not (RULES[id].needs_database or RULES[id].opt_in):
                yield self._about_file(
                    "nothing-to-allow", _("{id} finds nothing in this file. Remove the directive.", id=id), line
                )

    def _about_file(self, id: str, message: str, line: int) -> Finding:
        return finding(RULES[id], Hit(message), self.source.name, 0, line)

    def _not_allowed(self) -> list[Finding]:
        return not_allowed(self.found, [self.source])


@functools.cache
def _looks(kind: str, style: bool) -> tuple[tuple[Rule, Look], ...]:
    """Return the rules that look at actions of a kind, each with its function; with ``style``, those of style too."""
    return tuple((rule, look) for rule, look in (*LOOKS.get(kind, ()), *LOOKS.get("*", ())) if style or not rule.opt_in)


def tell(found: Iterable[Finding]) -> list[Finding]:
    """Return what is worth telling without a database: no cleared findings, none that only the catalog can judge."""
    return [one for one in found if one.stands and not (one.rule.needs_database and one.certainty is Certainty.GUESS)]
