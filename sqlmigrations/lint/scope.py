"""What is known at a statement of the statements before it: of the whole run, and of its own file."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlmigrations.files.directives import Directives
from sqlmigrations.files.trees import Path, constant, object_path, relation, strings
from sqlmigrations.lint.actions import Action


class Names:
    """Names of objects; one without its schema can be in any."""

    def __init__(self) -> None:
        self._schemas: dict[str, set[str]] = {}

    def add(self, path: Path) -> None:
        """Add a name."""
        if path:
            self._schemas.setdefault(path[-1], set()).add(_schema(path))

    def discard(self, path: Path) -> None:
        """Take a name off, in whatever schema."""
        if path:
            self._schemas.pop(path[-1], None)

    def __contains__(self, path: Path) -> bool:
        schemas = self._schemas.get(path[-1]) if path else None
        return schemas is not None and (not _schema(path) or "" in schemas or _schema(path) in schemas)


def _schema(path: Path) -> str:
    return path[-2] if len(path) > 1 else ""


@dataclass
class InFile:
    """What the statements of one file have done so far."""

    name: str
    directives: Directives
    #: Tables of before, each with the strongest lock that is held until the file ends, and the line that took it.
    held: dict[Path, tuple[str, int]] = field(default_factory=dict)
    #: Types that got a new value here, with the value.
    new_values: dict[str, int] = field(default_factory=dict)
    types: Names = field(default_factory=Names)
    views: Names = field(default_factory=Names)
    written: dict[Path, int] = field(default_factory=dict)
    #: The line of the first statement that scans or rewrites a table, by table.
    scanned: dict[Path, tuple[int, int]] = field(default_factory=dict)
    #: ``SET lock_timeout``, as it is written; None while the runner's holds.
    lock_timeout: str | None = None
    timezone: str = ""
    statements: int = 0


class Scope:
    """What is known so far."""

    def __init__(self) -> None:
        #: Relations and types that were made in this run, and hold nothing that anybody else uses.
        self.made = Names()
        #: Of those, the ones made with IF NOT EXISTS: a database may have them already.
        self.perhaps = Names()
        self.indexes: dict[str, Path] = {}
        #: The columns that indexes and keys of this run begin with, in whatever order, by the names of their tables.
        self.indexed: dict[str, set[frozenset[str]]] = {}
        #: Names of the views, tables and constraints that were dropped in this run.
        self.gone: set[str] = set()
        self.file = InFile("", Directives())

    def begin(self, name: str, directives: Directives) -> None:
        """Turn to the next file."""
        self.file = InFile(name, directives)

    def is_new(self, path: Path) -> bool:
        """Say whether a relation was made earlier in the run."""
        return path in self.made

    @property
    def in_transaction(self) -> bool:
        """Whether the file runs in one transaction, so that its locks are held to its end."""
        return self.file.directives.transaction

    def table_of_index(self, index: Path) -> Path:
        """Return the table of an index that was made in this run; empty for others."""
        return self.indexes.get(index[-1], ()) if index else ()

    def note(self, action: Action) -> None:
        """Take note of what an action has done."""
        if not action.runs:
            return
        note = _NOTES.get(action.kind)
        if note is not None:
            note(self, action)

    def index(self, table: Path, columns: Path) -> None:
        """Note an index, or a key, with its columns in order."""
        beginnings = self.indexed.setdefault(table[-1], set())
        beginnings.update(frozenset(columns[:count]) for count in range(1, len(columns) + 1))

    def make(self, path: Path, *, perhaps: bool = False) -> None:
        """Note a relation or type as made in this run."""
        self.made.add(path)
        if perhaps:
            self.perhaps.add(path)


def _create_table(scope: Scope, action: Action) -> None:
    base = action.node.get("base", action.node)
    scope.make(relation(base["relation"]), perhaps=bool(base.get("if_not_exists")))


def _create_as(scope: Scope, action: Action) -> None:
    scope.make(relation(action.node["into"]["rel"]), perhaps=bool(action.node.get("if_not_exists")))


def _select(scope: Scope, action: Action) -> None:
    if "intoClause" in action.node:
        scope.make(relation(action.node["intoClause"]["rel"]))


def _view(scope: Scope, action: Action) -> None:
    view = relation(action.node["view"])
    scope.file.views.add(view)
    if not action.node.get("replace"):
        scope.make(view)


def _index(scope: Scope, action: Action) -> None:
    table = relation(action.node["relation"])
    columns = tuple(part.get("IndexElem", {}).get("name", "") for part in action.node.get("indexParams", []))
    if "whereClause" not in action.node:
        scope.index(table, columns)
    if action.node.get("idxname"):
        index = (*table[:-1], action.node["idxname"])
        scope.indexes[index[-1]] = table
        if not action.node.get("if_not_exists"):
            scope.make(index)


def _enum(scope: Scope, action: Action) -> None:
    kind = strings(action.node["typeName"])
    scope.make(kind)
    scope.file.types.add(kind)


def _new_value(scope: Scope, action: Action) -> None:
    if "oldVal" not in action.node and strings(action.node["typeName"]) not in scope.file.types:
        scope.file.new_values[action.node["newVal"]] = action.line


def _domain(scope: Scope, action: Action) -> None:
    scope.make(strings(action.node["domainname"]))


def _drop(scope: Scope, action: Action) -> None:
    for part in action.node.get("objects", []):
        path = object_path(part)
        scope.made.discard(path)
        scope.gone.update(path[-1:])


def _drop_constraint(scope: Scope, action: Action) -> None:
    scope.gone.add(action.node.get("name", ""))


def _add_key(scope: Scope, action: Action) -> None:
    added = action.node.get("def", {}).get("Constraint", {})
    if added.get("contype") in ("CONSTR_PRIMARY", "CONSTR_UNIQUE") and "keys" in added:
        scope.index(action.table, strings(added["keys"]))


def _rename(scope: Scope, action: Action) -> None:
    if action.node.get("renameType") in ("OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW"):
        old = relation(action.node.get("relation"))
        if scope.is_new(old):
            scope.made.discard(old)
            scope.make((*old[:-1], action.node["newname"]))
        else:
            scope.made.discard(old)


def _set(scope: Scope, action: Action) -> None:
    setting = action.node.get("name", "")
    values = [constant(argument) for argument in action.node.get("args", [])]
    numbers = [
        str(argument.get("A_Const", {}).get("ival", {}).get("ival", 0)) for argument in action.node.get("args", [])
    ]
    if setting == "lock_timeout":
        written = next((value for value in (*values, *numbers) if value), "")
        scope.file.lock_timeout = written if action.node.get("kind") == "VAR_SET_VALUE" else None
    elif setting == "timezone":
        scope.file.timezone = values[0] if values else ""


def _writes(scope: Scope, action: Action) -> None:
    scope.file.written.setdefault(relation(action.node.get("relation")), action.line)


def _constraints_set(scope: Scope, action: Action) -> None:
    # Which tables named constraints belong to, the text does not tell: whoever names some knows why.
    if not action.node.get("deferred"):
        scope.file.written.clear()


_NOTES = {
    "CreateStmt": _create_table,
    "CreateForeignTableStmt": _create_table,
    "CreateTableAsStmt": _create_as,
    "SelectStmt": _select,
    "ViewStmt": _view,
    "IndexStmt": _index,
    "CreateEnumStmt": _enum,
    "AlterEnumStmt": _new_value,
    "CreateDomainStmt": _domain,
    "DropStmt": _drop,
    "AT_DropConstraint": _drop_constraint,
    "AT_AddConstraint": _add_key,
    "RenameStmt": _rename,
    "VariableSetStmt": _set,
    "InsertStmt": _writes,
    "UpdateStmt": _writes,
    "DeleteStmt": _writes,
    "ConstraintsSetStmt": _constraints_set,
}
