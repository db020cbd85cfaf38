"""Rules of drift that a project has accepted for a time, each with its reason; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from fnmatch import fnmatchcase
from typing import Any

from sqlmigrations.exceptions import ConfigurationError
from sqlmigrations.schema.difference import Difference, Source


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: which differences it is about, why they are accepted, and the last day on which they are.

    ``kind``, ``object`` and ``attribute`` are patterns in which ``*`` stands for anything; an empty one takes all.
    """

    reason: str
    kind: str = ""
    object: str = ""
    attribute: str = ""
    until: date | None = None

    def covers(self, difference: Difference) -> bool:
        """Tell whether the rule is about a difference. What files and history disagree about is never ignored."""
        if difference.source is Source.HISTORY:
            return False
        told = ((self.kind, difference.kind), (self.object, difference.object), (self.attribute, difference.attribute))
        return all(not pattern or fnmatchcase(text, pattern) for pattern, text in told)

    def is_expired(self, today: date) -> bool:
        """Tell whether its last day is over."""
        return self.until is not None and self.until < today

    def __str__(self) -> str:
        what = ((name, getattr(self, name)) for name in ("kind", "object", "attribute"))
        return ", ".join(f"{name} {pattern}" for name, pattern in what if pattern) or "everything"


#: The keys of a rule in the settings.
KEYS = tuple(field.name for field in fields(Rule))


def problem(given: Mapping[str, Any]) -> str:
    """Return what is wrong with a rule in the settings, or nothing."""
    if unknown := sorted(set(given) - set(KEYS)):
        return f"{unknown[0]!r} is no key of a rule; there are {', '.join(KEYS)}"
    if not str(given.get("reason") or "").strip():
        return "a rule needs a reason"
    if not any(given.get(key) for key in ("kind", "object", "attribute")):
        return "a rule needs a kind, an object or an attribute"
    for key in ("reason", "kind", "object", "attribute"):
        if not isinstance(given.get(key, ""), str):
            return f"{key} is a text"
    try:
        _date(given.get("until"))
    except ValueError:
        return f"until is a day such as 2030-12-31, not {given['until']!r}"
    return ""


def read_rules(given: Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """Return the rules of the settings.

    Raises:
        ConfigurationError: one of them can't be worked with.
    """
    for rule in given:
        if wrong := problem(rule):
            raise ConfigurationError(
                f"SQLMIGRATIONS_DRIFT_IGNORE: {wrong}.",
                hint='Write it like {"kind": "index", "object": "public.tmp_*", "reason": "?", "until": "2030-12-31"}',
            )
    return tuple(Rule(**{**rule, "until": _date(rule.get("until"))}) for rule in given)


def _date(value: Any) -> date | None:
    if value is None or isinstance(value, date):
        return value
    return date.fromisoformat(str(value))


@dataclass(frozen=True, slots=True)
class Judged:
    """Differences after the rules: those that count, those that are accepted, and the rules that have expired."""

    differences: tuple[Difference, ...]
    ignored: tuple[tuple[Difference, Rule], ...]
    expired: tuple[Rule, ...]


def apply_rules(differences: Iterable[Difference], rules: Sequence[Rule], today: date) -> Judged:
    """Take out the differences that a rule covers which has not expired."""
    alive = [rule for rule in rules if not rule.is_expired(today)]
    left: list[Difference] = []
    ignored: list[tuple[Difference, Rule]] = []
    for difference in differences:
        rule = next((rule for rule in alive if rule.covers(difference)), None)
        if rule is None:
            left.append(difference)
        else:
            ignored.append((difference, rule))
    return Judged(tuple(left), tuple(ignored), tuple(rule for rule in rules if rule.is_expired(today)))
