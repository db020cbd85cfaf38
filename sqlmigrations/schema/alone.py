"""The objects that one of two catalogs has alone, and which of them only came or went with another; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from sqlmigrations.schema.catalog import RELATIONS, Attributes, Identity, Value, last_part


class Alone:
    """The objects that one side has alone."""

    def __init__(
        self, objects: Mapping[Identity, Attributes], identities: Iterable[Identity], released: Iterable[str]
    ) -> None:
        self._objects = objects
        self._released = frozenset(released)
        self.identities = frozenset(identities)
        self.relations = {identity.name for identity in self.identities if identity.kind in RELATIONS}
        self._columns = {identity.name for identity in self.identities if identity.kind == "column"}
        self._schemas = {identity.name for identity in self.identities if identity.kind == "schema"}
        self._keyed = {
            f"{objects[identity]['table']}.{column}"
            for identity in self.identities
            if objects[identity].get("type") == "primary key"
            for column in _tuple(objects[identity].get("columns"))
        }

    def follows(self, identity: Identity) -> bool:
        """Tell whether the object came or went with another: its schema, its table, a column of its own."""
        attributes = self._objects[identity]
        table = attributes.get("table")
        if table in self.relations or attributes.get("partition_of") in self.relations:
            return True
        if identity.kind == "column" and table in self._released:
            return True
        if any(f"{table}.{column}" in self._columns for column in _tuple(attributes.get("columns"))):
            return True
        owner = str(attributes.get("owned_by", ""))
        if owner and (owner in self._columns or owner[: -len(last_part(owner)) - 1] in self.relations):
            return True
        return identity.kind != "schema" and identity.name.partition(".")[0] in self._schemas and "." in identity.name

    def has_primary_key(self, column: str) -> bool:
        """Tell whether a primary key over ``column`` is among them."""
        return column in self._keyed


def without(value: Value | None, relations: Iterable[str]) -> Counter[str]:
    """Return the entries that don't name one of ``relations``."""
    gone = set(relations)
    return Counter(entry for entry in _tuple(value) if entry.partition(" ")[0] not in gone)


def _tuple(value: Value | None) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()
