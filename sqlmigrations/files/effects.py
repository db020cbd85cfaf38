"""What statements do to which objects, read from pgparse's trees.

Every name in a statement counts as read; what a kind of statement changes stands in ``targets``. A kind that is
in none of them makes the file opaque.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from sqlmigrations.exceptions import InvalidFile
from sqlmigrations.files import plpgsql
from sqlmigrations.files.keywords import read_by_keywords
from sqlmigrations.files.names import name, path
from sqlmigrations.files.splitter import split
from sqlmigrations.files.statements import ROWS, Statement, tree
from sqlmigrations.files.targets import HANDLERS, ONLY_DEFINES
from sqlmigrations.files.tokens import code
from sqlmigrations.files.trees import NOT_UNDERSTOOD, Node, Path, named, options_of, search_path, string, strings
from sqlmigrations.messages import gettext as _

_BUILT_IN = ("pg_catalog", "information_schema", "pg_toast")


@dataclass(frozen=True)
class MadeObject:
    """An object that a statement of a file creates, and that statement's line."""

    kind: str
    name: str
    line: int


@dataclass
class _Routine:
    """A function or procedure made in this file: what happens when it is called."""

    changes: set[str] = field(default_factory=set)
    reads: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)


class Collector:
    """Take a file's statements one by one; tell what they change, read and make, or ``only_made``: that alone."""

    def __init__(self, *, only_made: bool = False) -> None:
        self._only_made = only_made
        self.changes: set[str] = set()
        self.reads: set[str] = set()
        #: Functions that run: what they do counts, when they are made in this file.
        self.calls: set[str] = set()
        self.opaque = ""
        #: No statement has come yet.
        self.is_empty = True
        #: The schemas of the search path as this file sets it; None while it has not.
        self.search_path: Path | None = None
        #: The queries of PREPARE.
        self.prepared: dict[str, Node] = {}
        self._line = 1
        self._made: dict[tuple[str, str], MadeObject] = {}
        self._routines: dict[str, _Routine] = {}
        self._table_of_index: dict[str, str] = {}

    def add(self, statement: Statement) -> None:
        """Take the next statement."""
        self._line, self.is_empty = statement.line, False
        rows = statement.keywords[:1] == ("INSERT",) and len(statement.sql) > ROWS
        parsed = None if rows else tree(statement)
        if parsed is not None:
            try:
                self.run(parsed, statement.text)
            except NOT_UNDERSTOOD:
                self.hide(_("a statement whose tree is not understood"))
            return
        found = read_by_keywords(statement)
        if found is None:
            self.hide(_("a statement that can't be parsed"))
            return
        changed, read = found
        self.changes |= {other for target in changed for other in self.resolve(target)}
        self.reads |= {other for target in read for other in self.resolve(target)}

    def result(self) -> tuple[set[str], set[str], str]:
        """Return what the file changes, what it reads, and why that can't be known (empty when it can)."""
        changes, reads = set(self.changes), set(self.reads)
        waiting, seen = list(self.calls), set[str]()
        while waiting:
            called = waiting.pop()
            routine = self._routines.get(called)
            if routine is None or called in seen:
                continue
            seen.add(called)
            changes |= routine.changes
            reads |= routine.reads
            waiting += routine.calls
        return changes, reads, self.opaque

    def made(self) -> tuple[MadeObject, ...]:
        """Return the objects that are there when the file has run."""
        return tuple(self._made.values())

    def hide(self, reason: str) -> None:
        """Note that what the file does can't be known."""
        self.opaque = self.opaque or _("{reason} (line {line})", reason=reason, line=self._line)

    # Names

    def resolve(self, target: Path) -> list[str]:
        """Return the names that an object may have: one for each schema of the search path, if this file sets it."""
        if len(target) > 1 or not self.search_path:
            return [name(*target[-2:])]
        return [name(schema, target[-1]) for schema in self.search_path]

    def creation(self, target: Path) -> str:
        """Return the name of an object that is created."""
        return self.resolve(target)[0]

    def change(self, target: Path) -> None:
        """Note an object as changed."""
        if target and not self._only_made:
            self.changes.update(self.resolve(target))

    def create(self, kind: str, target: Path) -> None:
        """Note an object as made."""
        made = self.creation(target)
        self.changes.add(made)
        self.make(kind, made)

    def make(self, kind: str, made: str) -> None:
        """List an object among those that the file makes, by its written name."""
        self._made.setdefault((kind, made), MadeObject(kind, made, self._line))

    def forget(self, target: Path) -> None:
        """Take an object that the file drops off the list of those that it makes."""
        dropped = set(self.resolve(target))
        on_it = tuple(f" on {other}" for other in dropped)
        self._keep(
            other
            for other in self._made.values()
            if other.name not in dropped
            and not other.name.endswith(on_it)
            and self._table_of_index.get(other.name) not in dropped
        )

    def forget_written(self, written: str) -> None:
        """Take the object of this written name off the list of those that the file makes."""
        self._keep(other for other in self._made.values() if other.name != written)

    def _keep(self, made: Iterable[MadeObject]) -> None:
        self._made = {(other.kind, other.name): other for other in made}

    def knows_routine(self, names: list[str]) -> bool:
        """Say whether this file makes the function or procedure that has one of these names."""
        return any(routine in self._routines for routine in names)

    def rename(self, old: Path, new: Path) -> None:
        """Note that an object is called otherwise from here on."""
        former = set(self.resolve(old))
        self.change(new)
        self._keep(replace(o, name=name(*new)) if o.name in former else o for o in self._made.values())

    def index(self, table: Path, index: str) -> None:
        """Note an index, which lies in its table's schema."""
        target = (*table[:-1], index)
        made = self.creation(target)
        self.changes.add(made)
        self._table_of_index[made] = self.creation(table)
        self.make("index", made)

    def change_index(self, target: Path) -> None:
        """Note an index as changed, and its table where this file made it."""
        self.change(target)
        self.changes |= {self._table_of_index[o] for o in self.resolve(target) if o in self._table_of_index}

    # Statements

    def run(self, parsed: Node, text: str = "") -> None:
        """Take a statement that runs."""
        kind, node = next(iter(parsed.items()))
        handler = HANDLERS.get(kind)
        if handler is None:
            self.hide(_("a statement of an unknown kind, {kind}", kind=kind))
            return
        handler(self, node)
        if kind == "DoStmt":
            self._run_block(node, text)
        elif self._only_made:
            return
        elif kind == "CreateFunctionStmt":
            self._read_routine(node, text)
        elif kind == "CreateSchemaStmt":
            self.read(node.get("authrole"), runs=False)
        else:
            self.read(parsed, runs=kind not in ONLY_DEFINES)

    def read(self, node: Any, *, runs: bool) -> None:
        """Note all names within a tree as read; what a modifying WITH changes as changed, if it runs."""
        for kind, target in named(node):
            match kind:
                case "changed" if runs:
                    self.changes.update(self.resolve(target))
                case "global":
                    self.reads.add(target[0])
                    continue
                case "called" if runs:
                    self.calls.update(self.resolve(target))
            if not (len(target) > 1 and target[-2] in _BUILT_IN):
                self.reads.update(self.resolve(target))

    def _run_block(self, node: Node, text: str) -> None:
        options = options_of(node.get("args"))
        language = string(options.get("language")) or "plpgsql"
        body = plpgsql.read(text) if language == "plpgsql" else None
        if body is None:
            self.hide(_("a DO block in {language} that can't be read", language=language))
            return
        if body.opaque:
            self.hide(body.opaque)
        self._read_types(body)
        for parsed in body.trees:
            self.run(parsed)

    def _read_types(self, body: plpgsql.Body) -> None:
        for written in body.types:
            target = path(written)
            if target and target[0] not in _BUILT_IN:
                self.reads.update(self.resolve(target[:2]))

    def _read_routine(self, node: Node, text: str) -> None:
        """Note what a function's body names as read; keep what it changes, in case this file calls it."""
        signature = {key: part for key, part in node.items() if key not in ("funcname", "sql_body", "options")}
        self.read(signature, runs=False)
        options = options_of(node.get("options"))
        inner = Collector()
        inner._line, inner.search_path = self._line, self._path_of(options, self.search_path)
        if "sql_body" in node:
            inner._run_bodies(node["sql_body"])
        elif "as" in options:
            self._read_text(inner, options, text)
        if inner.opaque:
            self.hide(inner.opaque.partition(" (line")[0])
        self.reads |= inner.reads | inner.changes
        routine = _Routine(inner.changes, inner.reads, inner.calls)
        self._routines[self.creation(strings(node["funcname"]))] = routine

    def _run_bodies(self, node: Any) -> None:
        """Take each statement of a ``BEGIN ATOMIC`` body, or the one of RETURN."""
        if isinstance(node, dict) and "List" in node:
            node = node["List"].get("items", [])
        for part in node if isinstance(node, list) else [node]:
            if isinstance(part, dict) and "List" in part:
                self._run_bodies(part)
            elif isinstance(part, dict) and next(iter(part), "") in HANDLERS:
                self.run(part)
            else:
                self.read(part, runs=True)

    @staticmethod
    def _path_of(options: Node, otherwise: Path | None) -> Path | None:
        setting = options.get("set", {}).get("VariableSetStmt", {})
        return search_path(setting) if setting.get("name") == "search_path" else otherwise

    @staticmethod
    def _read_text(inner: Collector, options: Node, text: str) -> None:
        language = (string(options.get("language")) or "sql").lower()
        source = next(iter(strings(options["as"].get("List", {}).get("items"))), "")
        if language == "plpgsql":
            body = plpgsql.read(text)
            if body is None:
                inner.reads |= _all_identifiers(source)
                return
            inner.opaque = body.opaque
            inner._read_types(body)
            for parsed in body.trees:
                inner.run(parsed)
        elif language == "sql":
            try:
                for statement in split([source.encode()]):
                    inner.add(statement)
            except InvalidFile:
                inner.reads |= _all_identifiers(source)


def _all_identifiers(source: str) -> set[str]:
    """Return all words of a text that can't be read better."""
    return {name(token.identifier) for token in code(source.encode()) if token.identifier}
