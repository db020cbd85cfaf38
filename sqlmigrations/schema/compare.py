"""Compares two catalogs; pure.

Objects are paired by name first; what is left over on both sides is paired by structure, so that a renamed table,
column or index is one difference and not two, and what merely follows from a difference (the indexes of a missing
table, the view that deparses otherwise since its column has another name) is none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlmigrations.messages import gettext as _
from sqlmigrations.schema.alone import Alone, without
from sqlmigrations.schema.catalog import PLACING, RELATIONS, Attributes, Catalog, Identity, Value, last_part
from sqlmigrations.schema.difference import Difference, Source
from sqlmigrations.schema.pairing import BESIDE, Pairing, Renames, place
from sqlmigrations.schema.severities import EXTRA, severity
from sqlmigrations.severity import Severity

#: Attributes of which the first, where it differs, takes the second with it; an identity only as it comes and goes.
_IMPLIED = (("identity", "identity_sequence"), ("partition_of", "partition_bound"))

#: Attributes that a definition does not repeat; that of a view repeats none.
_APART = BESIDE | {
    "clustered",
    "index_options",
    "index_tablespace",
    "index_valid",
    "ready",
    "state",
    "statistics_targets",
    "tablespace",
    "target",
    "valid",
}


def compare(
    expected: Catalog, found: Catalog, *, source: Source, severities: Mapping[str, Severity] | None = None
) -> tuple[Difference, ...]:
    """Return what differs between two catalogs, sorted by object; ``severities`` are the project's own."""
    if expected.objects == found.objects:
        return ()
    return tuple(_Comparison(expected.objects, found.objects, source, severities or {}).differences())


@dataclass
class _Comparison:
    """The two sides, and how their objects belong together."""

    expected: Mapping[Identity, Attributes]
    found: Mapping[Identity, Attributes]
    source: Source
    severities: Mapping[str, Severity]
    renames: Renames = field(default_factory=Renames)

    def differences(self) -> Iterator[Difference]:
        gone = {identity for identity in self.expected if identity not in self.found}
        new = {identity for identity in self.found if identity not in self.expected}
        changed = {each: each for each, was in self.expected.items() if self.found.get(each, was) != was}
        renamed = Pairing(self.expected, self.found, self.renames).pairs(gone, new)
        unlike = changed | renamed
        self._note_moved_extensions(unlike)
        released = self._released(unlike)
        absent = Alone(self.expected, gone - renamed.keys(), released)
        extra = Alone(self.found, new - set(renamed.values()), released)
        for identity in sorted(unlike.keys() | absent.identities | extra.identities):
            if identity in unlike:
                yield from self._of_pair(identity, unlike[identity], absent, extra)
            elif identity in absent.identities:
                if not absent.follows(identity):
                    yield self._difference(identity, "presence", _("present"), _("absent"))
            elif not extra.follows(identity):
                yield self._difference(identity, "presence", _("absent"), _("present"), rank=EXTRA)
        yield from self._orders(unlike)

    def _note_moved_extensions(self, pairs: Mapping[Identity, Identity]) -> None:
        """Note the schemas between which extensions were moved, with all that they brought."""
        for identity, other in pairs.items():
            if identity.kind == "extension":
                schemas = self.expected[identity]["schema"], self.found[other]["schema"]
                if schemas[0] != schemas[1]:
                    self.renames.moved.update(map(str, schemas))

    def _released(self, pairs: Mapping[Identity, Identity]) -> set[str]:
        """Return the tables that have other parents, and with them columns that they had from these."""
        return {
            name
            for identity, other in pairs.items()
            if identity.kind in RELATIONS
            for name in (identity.name, other.name)
            if _parents(self.expected[identity]) != _parents(self.found[other])
        }

    # Differences

    def _of_pair(self, identity: Identity, other: Identity, absent: Alone, extra: Alone) -> Iterator[Difference]:
        expected, found = self.expected[identity], self.found[other]
        if _is_renamed(identity, other, self.renames):
            yield self._difference(identity, "name", *_told_names(identity.name, other.name), other=other)
        if expected == found:
            return
        keys = {key for key in (expected.keys() | found.keys()) - PLACING if expected.get(key) != found.get(key)}
        keys = {key for key in keys if not self._is_explained(identity, other, key, absent, extra)}
        kept = {"identity"} if "identity" in expected and "identity" in found else set()
        keys -= {implied for key, implied in _IMPLIED if key in keys - kept}
        if identity.kind not in RELATIONS and keys - _APART - {"definition"}:
            keys.discard("definition")  # it says the same again
        for key in sorted(keys):
            yield self._difference(
                identity,
                key,
                word(expected.get(key), found.get(key)),
                word(found.get(key), expected.get(key)),
                other=other,
            )

    def _is_explained(self, identity: Identity, other: Identity, key: str, absent: Alone, extra: Alone) -> bool:
        """Tell whether an attribute differs only because something else does."""
        expected, found = self.expected[identity].get(key), self.found[other].get(key)
        if key == "not_null":
            objects = extra if found else absent
            return identity.kind == "column" and objects.has_primary_key(other.name if found else identity.name)
        if key == "tables":
            renamed = self.renames.rewrite(expected) if expected is not None else None
            return without(renamed, absent.relations) == without(found, extra.relations)
        if not self.renames or expected is None or found is None:
            return False
        return self.renames.explain(expected, found, identity, other)

    def _orders(self, unlike: Mapping[Identity, Identity]) -> Iterator[Difference]:
        """Yield the tables whose columns stand in another order; what is missing or extra doesn't count."""
        if self.source is Source.MODELS:
            return  # columns that were added later stand at the end
        tables = {
            str(self.expected[identity]["table"])
            for identity, other in unlike.items()
            if identity.kind == "column"
            and self.expected[identity].get("position") != self.found[other].get("position")
        }
        moved: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
        for identity, before in self.expected.items() if tables else ():
            if identity.kind != "column" or before["table"] not in tables:
                continue
            if after := self.found.get(unlike.get(identity, identity)):
                moved[str(before["table"])].append((place(before), place(after), last_part(identity.name)))
        for table in sorted(tables):
            expected = [name for *_, name in sorted(moved[table])]
            found = [name for *_, name in sorted(moved[table], key=lambda column: column[1])]
            if expected != found:
                identity = next(i for i in (Identity(kind, table) for kind in RELATIONS) if i in self.expected)
                yield self._difference(identity, "column_order", ", ".join(expected), ", ".join(found))

    def _difference(
        self,
        identity: Identity,
        attribute: str,
        expected: str,
        found: str,
        *,
        other: Identity | None = None,
        rank: str = "",
    ) -> Difference:
        return Difference(
            self.source,
            identity.kind,
            identity.name,
            attribute,
            expected,
            found,
            severity(identity.kind, rank or attribute, self.severities),
            found_object=other.name if other and other.name != identity.name else "",
        )


def _told_names(old: str, new: str) -> tuple[str, str]:
    """Return the last parts of two names, or both whole where only the schema differs."""
    parts = last_part(old), last_part(new)
    return (old, new) if parts[0] == parts[1] else parts


def _is_renamed(identity: Identity, other: Identity, renames: Renames) -> bool:
    return identity.name != other.name and renames.name(identity, own=False) != other


def _parents(attributes: Attributes) -> tuple[Value | None, Value | None]:
    return attributes.get("inherits"), attributes.get("partition_of")


# Words


def word(value: Value | None, other: Value | None = None) -> str:
    """Return a value as people read it; ``other`` is the one beside it, which tells what having none means."""
    match value:
        case None:
            return {True: _("no"), False: _("yes")}[other] if isinstance(other, bool) else _("none")
        case bool():
            return _("yes") if value else _("no")
        case tuple():
            return ", ".join(value) or _("none")
        case float() if value.is_integer():
            return str(int(value))
    return str(value)
