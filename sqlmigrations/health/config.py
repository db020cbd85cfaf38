"""Reads SQLMIGRATIONS_HEALTH: which checks run, with what thresholds, and what is ignored until when.

    SQLMIGRATIONS_HEALTH = {
        "thresholds": {"sequence_exhaustion": {"warning_percent": 60}},
        "objects": {"public.audit_*": {"unused_index": {"min_bytes": "1GB"}}},
        "enabled": ["fk_violations"],
        "disabled": ["name_truncation"],
        "ignore": [
            {"check": "no_primary_key", "object": "public.log", "reason": "append-only", "until": "2027-06-30"},
        ],
        "checks": ["shop.health.StockIsNeverNegative"],
        "databases": {"reports": {"disabled": ["fk_without_index"]}},
    }

Each key may be left out; what stands below ``databases`` holds for one alias, and goes before the rest.
"""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from sqlmigrations.exceptions import ConfigurationError
from sqlmigrations.health.base import Check, Finding
from sqlmigrations.health.registry import known_checks
from sqlmigrations.health.units import parse

#: Keys of the setting; those of one database are the same without the last two.
KEYS = ("thresholds", "objects", "enabled", "disabled", "ignore", "checks", "databases")
_IGNORE_KEYS = ("check", "object", "reason", "until")

#: By check: numbers, and texts where the check has options.
Thresholds = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Ignore:
    """Findings that somebody looked at and accepted until a day, that day included."""

    check: str
    object: str
    reason: str
    until: datetime.date

    def covers(self, check: str, finding: Finding, today: datetime.date) -> bool:
        """Say whether a finding is ignored today."""
        named = fnmatchcase(check, self.check) and fnmatchcase(str(finding.subject), self.object)
        return named and today <= self.until


@dataclass(frozen=True, slots=True)
class Config:
    """What holds for one database."""

    known: Mapping[str, type[Check]]
    thresholds: Thresholds = field(default_factory=dict)
    #: By pattern, then by check.
    objects: Mapping[str, Thresholds] = field(default_factory=dict)
    enabled: frozenset[str] = frozenset()
    disabled: frozenset[str] = frozenset()
    ignores: tuple[Ignore, ...] = ()

    def make(self, id: str) -> Check:
        """Return a check with the thresholds that are set for it."""
        exceptions = {pattern: given[id] for pattern, given in self.objects.items() if id in given}
        return self.known[id](exceptions=exceptions, **self.thresholds.get(id, {}))

    def is_ignored(self, check: str, finding: Finding, today: datetime.date) -> bool:
        """Say whether a finding is ignored today."""
        return any(ignore.covers(check, finding, today) for ignore in self.ignores)


def read_config(value: Mapping[str, Any], database: str) -> Config:
    """Return what the setting says for a database.

    Raises:
        ConfigurationError: it says something that can't be understood; names everything that is wrong.
    """
    problems: list[str] = []
    config = _read(value, database, problems)
    if problems:
        raise ConfigurationError(
            "SQLMIGRATIONS_HEALTH can't be understood:\n" + "\n".join(f"    {problem}" for problem in problems),
            hint="manage.py dbhealth --list shows the checks, --explain ID the thresholds of one.",
        )
    return config


def problems_of(value: Mapping[str, Any]) -> list[str]:
    """Return everything that is wrong with the setting, for any database."""
    problems: list[str] = []
    databases = value.get("databases", {})
    for database in ["", *(databases if isinstance(databases, Mapping) else [])]:
        _read(value, database, problems)
    return list(dict.fromkeys(problems))


def _read(value: Mapping[str, Any], database: str, problems: list[str]) -> Config:
    reader = _Reader(problems)
    known = reader.checks(value.get("checks", ()))
    reader.known = known
    parts = [("", value)]
    databases = value.get("databases", {})
    if not isinstance(databases, Mapping):
        problems.append("'databases' has to be a mapping from aliases to mappings.")
    elif database in databases:
        parts.append((f"databases.{database}", databases[database]))
    thresholds: Thresholds = {}
    objects: dict[str, Thresholds] = {}
    enabled: set[str] = set()
    disabled: set[str] = set()
    ignores: list[Ignore] = []
    for where, part in parts:
        if not reader.is_mapping(where or "SQLMIGRATIONS_HEALTH", part):
            continue
        reader.keys(where, part, KEYS if not where else KEYS[:5])
        for id, given in reader.thresholds(_at(where, "thresholds"), part.get("thresholds", {})).items():
            thresholds.setdefault(id, {}).update(given)
        if reader.is_mapping(_at(where, "objects"), part.get("objects", {})):
            for pattern, given_here in part.get("objects", {}).items():
                objects[pattern] = reader.thresholds(_at(where, f"objects.{pattern}"), given_here)
        on = reader.ids(_at(where, "enabled"), part.get("enabled", ()))
        off = reader.ids(_at(where, "disabled"), part.get("disabled", ()))
        enabled, disabled = (enabled | on) - off, (disabled | off) - on
        ignores += reader.ignores(_at(where, "ignore"), part.get("ignore", ()))
    return Config(known, thresholds, objects, frozenset(enabled), frozenset(disabled), tuple(ignores))


def _at(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


@dataclass
class _Reader:
    """Reads parts of the setting, and notes what is wrong with them."""

    problems: list[str]
    known: Mapping[str, type[Check]] = field(default_factory=dict)

    def checks(self, paths: Any) -> Mapping[str, type[Check]]:
        """Return all checks, those of the project included."""
        try:
            return known_checks(paths if self.is_list("checks", paths) else ())
        except ConfigurationError as error:
            self.problems.append(f"checks: {error.message}")
            return known_checks()

    def is_mapping(self, where: str, value: object) -> bool:
        """Say whether a part is a mapping with texts as keys."""
        if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
            return True
        self.problems.append(f"'{where}' has to be a mapping.")
        return False

    def is_list(self, where: str, value: object) -> bool:
        """Say whether a part is a list."""
        if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
            return True
        self.problems.append(f"'{where}' has to be a list.")
        return False

    def keys(self, where: str, value: Mapping[str, Any], known: Sequence[str]) -> None:
        """Note keys that there are not."""
        for key in value:
            self.is_known(_at(where, key), key, known)

    def is_known(self, where: str, name: str, known: Sequence[str]) -> bool:
        """Say whether a name is among those that there are."""
        if name in known:
            return True
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"known are {', '.join(known)}."
        self.problems.append(f"'{where}' is unknown: {hint}")
        return False

    def ids(self, where: str, value: Any) -> set[str]:
        """Return the ids of checks that a list names."""
        if not self.is_list(where, value):
            return set()
        return {str(id) for id in value if self.is_known(f"{where}.{id}", str(id), list(self.known))}

    def thresholds(self, where: str, value: Any) -> Thresholds:
        """Return thresholds by check, as numbers, and its options as texts."""
        read: Thresholds = {}
        if not self.is_mapping(where, value):
            return read
        for id, given in value.items():
            place = f"{where}.{id}"
            if self.is_known(place, id, list(self.known)) and self.is_mapping(place, given):
                read[id] = dict(self._values(place, self.known[id], given))
        return read

    def _values(self, where: str, check: type[Check], given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        for name, value in given.items():
            if not self.is_known(f"{where}.{name}", name, [*check.thresholds(), *check.options()]):
                continue
            if name in check.options():
                yield name, str(value)
                continue
            try:
                yield name, parse(name.rpartition("_")[2], value)
            except ValueError as error:
                self.problems.append(f"'{where}.{name}': {error}.")

    def ignores(self, where: str, value: Any) -> Iterator[Ignore]:
        """Yield what is ignored."""
        for number, given in enumerate(value if self.is_list(where, value) else ()):
            place = f"{where}[{number}]"
            if not self.is_mapping(place, given):
                continue
            self.keys(place, given, _IGNORE_KEYS)
            missing = [key for key in _IGNORE_KEYS if not given.get(key)]
            if missing:
                self.problems.append(f"'{place}' needs {' and '.join(repr(key) for key in missing)}.")
                continue
            check = str(given["check"])
            if "*" not in check and not self.is_known(f"{place}.check", check, list(self.known)):
                continue
            try:
                until = datetime.date.fromisoformat(str(given["until"]))
            except ValueError:
                self.problems.append(f"'{place}.until' is no day; write it as 2027-01-31.")
                continue
            yield Ignore(check, str(given["object"]), str(given["reason"]), until)
