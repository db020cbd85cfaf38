"""Compares two catalogs; pure.

Objects are paired by name first; what is left over on both sides is paired by structure, so that a renamed table,
column or index is one difference and not two, and what merely follows from a difference (the indexes of a missing
table, the view that deparses otherwise since its column has another name) is none.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field

from sqlmigrations.messages import gettext as _
from sqlmigrations.schema.catalog import PLACING, Attributes, Catalog, Identity, Value, last_part
from sqlmigrations.schema.difference import Difference, Severity, Source
from sqlmigrations.schema.severities import EXTRA, severity

#: Attributes that any object has beside what it is.
_BESIDE = frozenset({"owner", "grants", "comment"})

#: Kinds of relations, which have columns, indexes and the like.
RELATIONS = frozenset({"table", "foreign table", "view", "materialized view"})

#: Kinds whose names no statement can change, or whose structure says too little to know one by it.
_NEVER_RENAMED = frozenset({"schema", "extension", "default privileges", "foreign data wrapper", "server"})

#: Attributes of which the first, where it differs, takes the second with it; an identity only as it comes and goes.
_IMPLIED = (("identity", "identity_sequence"), ("partition_of", "partition_bound"))

#: Attributes that a definition does not repeat; that of a view repeats none.
_APART = _BESIDE | {
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
    renames: _Renames = field(default_factory=lambda: _Renames())

    def differences(self) -> Iterator[Difference]:
        gone = {identity for identity in self.expected if identity not in self.found}
        new = {identity for identity in self.found if identity not in self.expected}
        changed = {each: each for each, was in self.expected.items() if self.found.get(each, was) != was}
        renamed = self._renamed(gone, new)
        unlike = changed | renamed
        self._note_moved_extensions(unlike)
        released = self._released(unlike)
        absent = _Absent(self.expected, gone - renamed.keys(), released)
        extra = _Absent(self.found, new - set(renamed.values()), released)
        for identity in sorted(unlike.keys() | absent.identities | extra.identities):
            if identity in unlike:
                yield from self._of_pair(identity, unlike[identity], absent, extra)
            elif identity in absent.identities:
                if not absent.follows(identity):
                    yield self._difference(identity, "presence", _("present"), _("absent"))
            elif not extra.follows(identity):
                yield self._difference(identity, "presence", _("absent"), _("present"), rank=EXTRA)
        yield from self._orders(unlike)

    # Pairs

    def _renamed(self, left: Set[Identity], right: Set[Identity]) -> dict[Identity, Identity]:
        """Return which of the objects that one side has alone is which of the other's, by structure."""
        pairs: dict[Identity, Identity] = {}
        for kinds in (RELATIONS, {"column"}, None) if left and right else ():
            taken = set(pairs.values())
            gone = [identity for identity in sorted(left) if identity not in pairs and _of(identity, kinds)]
            new = [identity for identity in sorted(right) if identity not in taken and _of(identity, kinds)]
            if kinds == {"column"} or kinds is None:
                self._pair(gone, new, pairs, lambda identity: self.renames.name(identity))
            if kinds is not None:
                self._match(gone, new, pairs, unique=True)
            else:
                self._match(gone, new, pairs, unique=False)
        return pairs

    def _pair(
        self,
        gone: list[Identity],
        new: list[Identity],
        pairs: dict[Identity, Identity],
        rename: Callable[[Identity], Identity],
    ) -> None:
        """Pair what has the same name once its table has its new one."""
        taken = set(new)
        for identity in list(gone):
            if (renamed := rename(identity)) in taken:
                pairs[identity] = renamed
                gone.remove(identity)
                new.remove(renamed)

    def _match(
        self, gone: list[Identity], new: list[Identity], pairs: dict[Identity, Identity], *, unique: bool
    ) -> None:
        """Pair what has the same structure; where ``unique``, only if nothing else has."""
        if not gone or not new:
            return
        ours = self._by_structure(self.expected, gone, self.renames)
        theirs = self._by_structure(self.found, new, _Renames())
        for key in ours.keys() & theirs.keys():
            for one, other in _neighbours_first(ours[key], theirs[key], unique=unique):
                pairs[one] = other
                self.renames.add(one, other)

    def _by_structure(
        self, objects: Mapping[Identity, Attributes], identities: Iterable[Identity], renames: _Renames
    ) -> dict[Hashable, list[Identity]]:
        found: dict[Hashable, list[Identity]] = defaultdict(list)
        wanted = [identity for identity in identities if identity.kind not in _NEVER_RENAMED]
        columns = _columns(objects, {identity.name for identity in wanted if identity.kind in RELATIONS})
        for identity in wanted:
            found[_structure(identity, objects[identity], columns.get(identity.name), renames)].append(identity)
        return found

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

    def _of_pair(self, identity: Identity, other: Identity, absent: _Absent, extra: _Absent) -> Iterator[Difference]:
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

    def _is_explained(self, identity: Identity, other: Identity, key: str, absent: _Absent, extra: _Absent) -> bool:
        """Tell whether an attribute differs only because something else does."""
        expected, found = self.expected[identity].get(key), self.found[other].get(key)
        if key == "not_null":
            objects = extra if found else absent
            return identity.kind == "column" and objects.has_primary_key(other.name if found else identity.name)
        if key == "tables":
            renamed = self.renames.rewrite(expected) if expected is not None else None
            return _without(renamed, absent.relations) == _without(found, extra.relations)
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
                moved[str(before["table"])].append((_place(before), _place(after), last_part(identity.name)))
        for table in sorted(tables):
            expected = [name for *_, name in sorted(moved[table])]
            found = [name for *_, name in sorted(moved[table], key=lambda column: column[1])]
            if expected != found:
                identity = next(i for i in (Identity(kind, table) for kind in sorted(RELATIONS)) if i in self.expected)
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


# Names


def _of(identity: Identity, kinds: Iterable[str] | None) -> bool:
    return kinds is None or identity.kind in kinds


def _told_names(old: str, new: str) -> tuple[str, str]:
    """Return the last parts of two names, or both whole where only the schema differs."""
    parts = last_part(old), last_part(new)
    return (old, new) if parts[0] == parts[1] else parts


def _is_renamed(identity: Identity, other: Identity, renames: _Renames) -> bool:
    return identity.name != other.name and renames.name(identity, own=False) != other


class _Renames:
    """The tables, columns and other objects that have a new name."""

    def __init__(self) -> None:
        self.names: dict[Identity, Identity] = {}
        #: Schemas between which extensions were moved.
        self.moved: set[str] = set()
        self._relations: dict[str, str] = {}
        self._words: list[tuple[re.Pattern[str], str]] = []
        self._aliases: list[tuple[re.Pattern[str], str]] = []

    def __bool__(self) -> bool:
        return bool(self.names or self.moved)

    def add(self, old: Identity, new: Identity) -> None:
        """Note that ``old`` is called ``new``."""
        if old.name == new.name:
            return
        self.names[old] = new
        before, after = (each.name.partition("(")[0] for each in (old, new))
        short, new_short = last_part(before), last_part(after)
        if old.kind == "column":
            before, after = short, new_short
        self._words.append((_exact(before), after))
        if old.kind in RELATIONS:
            self._relations[old.name] = new.name
            self._words.append((re.compile(rf'(?<![\w".]){re.escape(short)}(?=\.)'), new_short))
        either = "|".join(map(re.escape, (short, new_short)))
        self._aliases.append((re.compile(rf'{_exact(after).pattern} (?:AS )?(?:{either})(?![\w"])'), after))

    def name(self, identity: Identity, *, own: bool = True) -> Identity:
        """Return what an object is called now that its table has a new name, its own new name unless not ``own``."""
        if own and identity in self.names:
            return self.names[identity]
        last = last_part(identity.name)
        table = identity.name[: -len(last) - 1]
        return Identity(identity.kind, f"{self._relations[table]}.{last}") if table in self._relations else identity

    def rewrite(self, value: Value) -> Value:
        """Return a value with the new names in it."""
        if isinstance(value, tuple):
            return tuple(str(self.rewrite(item)) for item in value)
        return _substituted(value, self._words) if isinstance(value, str) else value

    def explain(self, expected: Value, found: Value, identity: Identity, other: Identity) -> bool:
        """Tell whether two values are the same but for new names.

        A view keeps the old name of a column as an alias: ``mail AS email``.
        """
        if isinstance(expected, str) and isinstance(found, str) and identity.name != other.name:
            old, new = (_exact(last_part(each.name).partition("(")[0]) for each in (identity, other))
            expected, found = old.sub("", expected, count=1), new.sub("", found, count=1)
        return self._unaliased(self.rewrite(expected)) == self._unaliased(found)

    def _unaliased(self, value: Value) -> Value:
        """Return a value without the aliases that stem from a new name, and the schemas of moved extensions."""
        if not isinstance(value, str):
            return value
        schemas = [(re.compile(rf'(?<![\w".]){re.escape(schema)}\.'), "") for schema in self.moved]
        return _substituted(value, [*self._aliases, *schemas])


def _substituted(text: str, substitutions: Iterable[tuple[re.Pattern[str], str]]) -> str:
    for pattern, replacement in substitutions:
        text = pattern.sub(replacement.replace("\\", r"\\"), text)
    return text


def _exact(name: str) -> re.Pattern[str]:
    """Return a pattern for a name where it isn't part of another; that of a column may follow its table's."""
    before = r'[\w".]' if "." in name else r'[\w"]'
    return re.compile(rf'(?<!{before}){re.escape(name)}(?![\w"])')


# Structure


def _columns(objects: Mapping[Identity, Attributes], tables: set[str]) -> dict[str, tuple[tuple[str, Value], ...]]:
    """Return the columns of ``tables`` with their types, in order."""
    found: dict[str, list[tuple[int, str, Value]]] = defaultdict(list)
    if tables:
        for identity, attributes in objects.items():
            if identity.kind == "column" and attributes["table"] in tables:
                place = (_place(attributes), last_part(identity.name), attributes["type"])
                found[str(attributes["table"])].append(place)
    return {table: tuple((name, type) for _place, name, type in sorted(columns)) for table, columns in found.items()}


def _structure(identity: Identity, attributes: Attributes, columns: Hashable, renames: _Renames) -> Hashable:
    """Return what an object is apart from its name."""
    name = _exact(last_part(identity.name).partition("(")[0])
    parts: list[tuple[str, Value]] = []
    for key, value in attributes.items():
        if key in _BESIDE or (key == "position" and identity.kind != "column"):
            continue
        if key == "definition" and isinstance(value, str) and identity.kind not in RELATIONS | {"constraint"}:
            value = name.sub("", value, count=1)
        parts.append((key, renames.rewrite(value)))
    return identity.kind, columns, frozenset(parts)


def _neighbours_first(
    gone: Iterable[Identity], new: Iterable[Identity], *, unique: bool
) -> Iterator[tuple[Identity, Identity]]:
    """Pair objects of one structure: first those of one schema, or table, then what is left over."""
    ours, theirs = list(gone), list(new)
    by_home: defaultdict[str, tuple[list[Identity], list[Identity]]] = defaultdict(lambda: ([], []))
    for side, identities in enumerate((ours, theirs)):
        for identity in identities:
            by_home[identity.name.removesuffix(last_part(identity.name))][side].append(identity)
    for olds, news in [*by_home.values(), (ours, theirs)]:
        if unique and (len(olds) > 1 or len(news) > 1):
            continue
        for one, other in list(zip(olds, news, strict=False)):
            yield one, other
            ours.remove(one)
            theirs.remove(other)


def _parents(attributes: Attributes) -> tuple[Value | None, Value | None]:
    return attributes.get("inherits"), attributes.get("partition_of")


def _place(attributes: Attributes) -> int:
    return int(str(attributes.get("position", 0)))


# What follows from something else


class _Absent:
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


def _without(value: Value | None, relations: Iterable[str]) -> Counter[str]:
    """Return the entries that don't name one of ``relations``."""
    gone = set(relations)
    return Counter(entry for entry in _tuple(value) if entry.partition(" ")[0] not in gone)


def _tuple(value: Value | None) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


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
