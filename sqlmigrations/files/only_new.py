"""Whether a file touches no relation but those that it makes itself.

Nobody else can wait for it then, and it leaves nothing behind in its session: no setting, no lock, no plan. It is for
the plain files of which there are many: tables, their indexes and comments, keys that refer to each other. A statement
counts only if each part of its tree is known here; whatever else stands in it, the answer is no. What each statement
locks: https://www.postgresql.org/docs/current/sql-commands.html, and
https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
"""

from __future__ import annotations

from collections.abc import Callable

from sqlmigrations.files.statements import Statement, tree
from sqlmigrations.files.trees import Node, Path, relation, strings

#: What the trees may hold. A name with a database, a temporary table, IF NOT EXISTS, a parent, a partition, a query, a
#: condition, or whatever a later grammar brings is none of these.
_RELATION = frozenset({"schemaname", "relname", "inh", "relpersistence", "location"})
_TABLE = frozenset({"relation", "tableElts", "options", "oncommit", "tablespacename", "accessMethod"})
_COLUMN = frozenset({"colname", "typeName", "is_local", "constraints", "collClause", "compression", "location"})
_INDEX = frozenset(
    {"idxname", "relation", "accessMethod", "indexParams", "indexIncludingParams", "unique", "nulls_not_distinct"}
)
#: PostgreSQL evaluates a part of those that are generated, and of what an index or exclusion computes.
_CONSTRAINTS = frozenset(
    f"CONSTR_{kind}"
    for kind in (
        *("NULL", "NOTNULL", "DEFAULT", "IDENTITY", "CHECK", "PRIMARY", "UNIQUE"),
        *("ATTR_DEFERRABLE", "ATTR_NOT_DEFERRABLE", "ATTR_DEFERRED", "ATTR_IMMEDIATE"),
    )
)


class OnlyNew:
    """Take a file's statements one by one; ``holds`` tells of all so far."""

    def __init__(self) -> None:
        self.holds = True
        self._tables: set[Path] = set()

    def add(self, statement: Statement) -> None:
        """Take the next statement; none is looked at any more once the answer is no."""
        if self.holds:
            judge = _JUDGES.get(statement.keywords[:1])
            self.holds = judge is not None and judge(self, statement)

    def _create(self, statement: Statement) -> bool:
        parsed = tree(statement) or {}
        if "CreateStmt" in parsed:
            return self._table(parsed["CreateStmt"])
        return "IndexStmt" in parsed and self._index(parsed["IndexStmt"])

    def _comment(self, statement: Statement) -> bool:
        node = (tree(statement) or {}).get("CommentStmt", {})
        target = strings(node.get("object"))
        if node.get("objtype") == "OBJECT_COLUMN":
            target = target[:-1]
        elif node.get("objtype") != "OBJECT_TABLE":
            return False
        return target in self._tables

    def _table(self, node: Node) -> bool:
        made = node["relation"]
        if not (node.keys() <= _TABLE and made.keys() <= _RELATION and made.get("relpersistence") in ("p", "u")):
            return False
        self._tables.add(relation(made))
        return all(self._element(element) for element in node.get("tableElts", ()))

    def _element(self, element: Node) -> bool:
        if "Constraint" in element:
            return self._constraint(element["Constraint"])
        column = element.get("ColumnDef")
        return (
            column is not None
            and column.keys() <= _COLUMN
            and all(self._constraint(part["Constraint"]) for part in column.get("constraints", ()))
        )

    def _constraint(self, node: Node) -> bool:
        kind = node.get("contype")
        return kind in _CONSTRAINTS or (kind == "CONSTR_FOREIGN" and self._knows(node["pktable"]))

    def _index(self, node: Node) -> bool:
        columns = [part["IndexElem"] for part in node["indexParams"]]
        return node.keys() <= _INDEX and self._knows(node["relation"]) and all("expr" not in part for part in columns)

    def _knows(self, node: Node) -> bool:
        """Tell whether a relation is one of those made, written as there: so it can't be another of that name."""
        return node.keys() <= _RELATION and relation(node) in self._tables


_JUDGES: dict[tuple[str, ...], Callable[[OnlyNew, Statement], bool]] = {
    ("CREATE",): OnlyNew._create,
    ("COMMENT",): OnlyNew._comment,
}
