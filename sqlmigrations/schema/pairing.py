"""Finds which objects of two catalogs are the same one under another name; pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass

from sqlmigrations.schema.catalog import RELATIONS, Attributes, Identity, Value, last_part

#: Attributes that any object has beside what it is.
BESIDE = frozenset({"owner", "grants", "comment"})

#: Kinds whose names no statement can change, or whose structure says too little to know one by it.
_NEVER_RENAMED = frozenset({"schema", "extension", "default privileges", "foreign data wrapper", "server"})


class Renames:
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


@dataclass(frozen=True, slots=True)
class Pairing:
    """Pairs what one side has alone with what the other has alone, and notes the new names in ``renames``."""

    expected: Mapping[Identity, Attributes]
    found: Mapping[Identity, Attributes]
    renames: Renames

    def pairs(self, left: Set[Identity], right: Set[Identity]) -> dict[Identity, Identity]:
        """Return which of the objects ``left`` is which of those ``right``: relations, then columns, then the rest."""
        pairs: dict[Identity, Identity] = {}
        steps: tuple[Collection[str], ...] = (RELATIONS, {"column"}, ())
        for kinds in steps if left and right else ():
            taken = set(pairs.values())
            gone = [each for each in sorted(left) if each not in pairs and (not kinds or each.kind in kinds)]
            new = [each for each in sorted(right) if each not in taken and (not kinds or each.kind in kinds)]
            if kinds is not RELATIONS:
                self._by_name(gone, new, pairs)
            self._by_structure(gone, new, pairs, unique=bool(kinds))
        return pairs

    def _by_name(self, gone: list[Identity], new: list[Identity], pairs: dict[Identity, Identity]) -> None:
        """Pair what has the same name once its table has its new one."""
        taken = set(new)
        for identity in list(gone):
            if (renamed := self.renames.name(identity)) in taken:
                pairs[identity] = renamed
                gone.remove(identity)
                new.remove(renamed)

    def _by_structure(
        self, gone: list[Identity], new: list[Identity], pairs: dict[Identity, Identity], *, unique: bool
    ) -> None:
        """Pair what has the same structure; where ``unique``, only if nothing else has."""
        if not gone or not new:
            return
        ours = _structures(self.expected, gone, self.renames)
        theirs = _structures(self.found, new, Renames())
        for key in ours.keys() & theirs.keys():
            for one, other in _neighbours_first(ours[key], theirs[key], unique=unique):
                pairs[one] = other
                self.renames.add(one, other)


def _structures(
    objects: Mapping[Identity, Attributes], identities: Iterable[Identity], renames: Renames
) -> dict[Hashable, list[Identity]]:
    """Return objects by their structure."""
    found: dict[Hashable, list[Identity]] = defaultdict(list)
    wanted = [identity for identity in identities if identity.kind not in _NEVER_RENAMED]
    columns = _columns(objects, {identity.name for identity in wanted if identity.kind in RELATIONS})
    for identity in wanted:
        found[_structure(identity, objects[identity], columns.get(identity.name), renames)].append(identity)
    return found


def _columns(objects: Mapping[Identity, Attributes], tables: set[str]) -> dict[str, tuple[tuple[str, Value], ...]]:
    """Return the columns of ``tables`` with their types, in order."""
    found: dict[str, list[tuple[int, str, Value]]] = defaultdict(list)
    if tables:
        for identity, attributes in objects.items():
            if identity.kind == "column" and attributes["table"] in tables:
                column = (place(attributes), last_part(identity.name), attributes["type"])
                found[str(attributes["table"])].append(column)
    return {table: tuple((name, type) for _place, name, type in sorted(columns)) for table, columns in found.items()}


def _structure(identity: Identity, attributes: Attributes, columns: Hashable, renames: Renames) -> Hashable:
    """Return what an object is apart from its name."""
    name = _exact(last_part(identity.name).partition("(")[0])
    parts: list[tuple[str, Value]] = []
    for key, value in attributes.items():
        if key in BESIDE or (key == "position" and identity.kind != "column"):
            continue
        if key == "definition" and isinstance(value, str) and identity.kind not in {*RELATIONS, "constraint"}:
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


def place(attributes: Attributes) -> int:
    """Return the place of a column in its table."""
    return int(str(attributes.get("position", 0)))
