"""Checks of the settings: their names, their types, their values."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from os import PathLike
from typing import Any

from django.conf import settings as django_settings
from django.core.checks import CheckMessage
from django.db import connections

from sqlmigrations.checks.messages import error
from sqlmigrations.conf import NAMES, PREFIX, settings
from sqlmigrations.files.directives import MAX_RETRIES, is_duration
from sqlmigrations.plan import LatePolicy
from sqlmigrations.schema.ignore import KEYS, problem
from sqlmigrations.severity import Severity

#: A thousand years: beyond that, PostgreSQL's calendar ends.
MAX_DAYS = 365_000

#: Says whether a value can be worked with.
Rule = Callable[[Any], bool]


def check() -> Iterator[CheckMessage]:
    """Yield what is wrong with the settings of the project."""
    given = sorted(name for name in dir(django_settings) if name.startswith(PREFIX))
    yield from (_unknown(name) for name in given if name.removeprefix(PREFIX) not in NAMES)
    yield from (_wrong(name) for name in wrong_settings())
    yield from _unknown_aliases()
    yield from _health()


def _health() -> Iterator[CheckMessage]:
    """Yield what can't be understood in the setting of health checks; without one the checks are not even loaded."""
    if settings.HEALTH and is_valid("HEALTH"):
        from sqlmigrations.health.config import problems_of

        for problem in problems_of(settings.HEALTH):
            hint = "manage.py dbhealth --list shows the checks, --explain ID the thresholds of one."
            yield error("004", problem[:1].upper() + problem[1:], hint=hint, obj=f"settings.{PREFIX}HEALTH")


def wrong_settings() -> list[str]:
    """Return the names, without their prefix, of the settings whose value can't be worked with."""
    return [name for name in sorted(NAMES) if not is_valid(name)]


def is_valid(name: str) -> bool:
    """Say whether the setting ``SQLMIGRATIONS_<name>`` has a value that can be worked with."""
    rule, _ = RULES[name]
    return rule(getattr(settings, name))


def _unknown(name: str) -> CheckMessage:
    hint = _did_you_mean(name.removeprefix(PREFIX), sorted(NAMES), PREFIX)
    return error("001", "There is no such setting.", hint=hint, obj=f"settings.{name}")


def _wrong(name: str) -> CheckMessage:
    _, expected = RULES[name]
    value = getattr(settings, name)
    return error("002", f"It is {value!r}.", hint=f"Set it to {expected}.", obj=f"settings.{PREFIX}{name}")


def _did_you_mean(name: str, known: Sequence[str], prefix: str = "") -> str:
    """Return a hint with the name that is meant; with all names, each behind ``prefix``, when none is close."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {prefix}{close[0]}?" if close else f"Known are: {', '.join(prefix + each for each in known)}."


def _unknown_aliases() -> Iterator[CheckMessage]:
    """Yield aliases that DATABASES doesn't have."""
    named: dict[str, Iterable[Any]] = {}
    if is_valid("DIRS") and isinstance(settings.DIRS, Mapping):
        named["DIRS"] = settings.DIRS
    if is_valid("SHADOW_DATABASE") and settings.SHADOW_DATABASE is not None:
        named["SHADOW_DATABASE"] = [settings.SHADOW_DATABASE]
    for name, aliases in named.items():
        for alias in aliases:
            if alias not in connections:
                yield error(
                    "003",
                    f"It names the database '{alias}', which DATABASES doesn't have.",
                    hint=_did_you_mean(alias, sorted(connections)),
                    obj=f"settings.{PREFIX}{name}",
                )


# What each setting may be


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_bool(value: object) -> bool:
    return isinstance(value, bool)


def _is_list(value: object) -> bool:
    """Say whether the value is a list of whatever; a text is none."""
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _is_list_of(value: Any, kind: Rule) -> bool:
    return _is_list(value) and all(map(kind, value))


def _is_mapping_of(value: Any, kind: Rule) -> bool:
    return isinstance(value, Mapping) and all(_is_text(key) and kind(item) for key, item in value.items())


def _is_path(value: object) -> bool:
    return isinstance(value, (str, PathLike))


def _are_paths(value: object) -> bool:
    return _is_list_of(value, _is_path)


def _are_texts(value: object) -> bool:
    return _is_list_of(value, _is_text)


def _is_time(value: object) -> bool:
    return isinstance(value, str) and is_duration(value)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_RETRIES


def _is_days(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MAX_DAYS


def _one_of(*choices: str) -> tuple[Rule, str]:
    return lambda value: value in choices, " or ".join(f'"{choice}"' for choice in choices)


def _or_none(kind: Rule) -> Rule:
    return lambda value: value is None or kind(value)


_BOOL = (_is_bool, "True or False")

#: For each setting: what it may be, as a rule and in words.
RULES: Mapping[str, tuple[Rule, str]] = {
    "DIRS": (
        lambda value: _are_paths(value) or _is_mapping_of(value, _are_paths),
        'a list of folders, or a mapping from databases to such lists: {"default": [BASE_DIR / "migrations_sql"]}',
    ),
    "APP_DIRS": _BOOL,
    "ORDER": _one_of("name", "number"),
    "APPLY_ON_MIGRATE": _BOOL,
    "LOCK_TIMEOUT": (_is_time, 'a time as PostgreSQL writes it: "3s", "500ms", or "0" for no limit'),
    "RETRIES": (_is_count, f"a number from 0 to {MAX_RETRIES}"),
    "STATEMENT_TIMEOUT": (_or_none(_is_time), 'None or a time as PostgreSQL writes it: "10min", "90s"'),
    "BATCH_PAUSE": (_is_time, 'a time as PostgreSQL writes it: "50ms", "1s", or "0" for no pause'),
    "BATCH_MAX_LAG": (_is_time, 'a time as PostgreSQL writes it: "10s", "1min", or "0" not to ask'),
    "LATE_FILES": _one_of(*LatePolicy),
    "REQUIRED_TABLES": (
        lambda value: _is_mapping_of(value, _are_texts),
        'a mapping from tables to lists of columns: {"users": ["id", "email"]}',
    ),
    "DRIFT_LEVEL": _one_of("error", "warning"),
    "DRIFT_IGNORE": (
        lambda value: _is_list_of(value, lambda rule: isinstance(rule, Mapping) and not problem(rule)),
        f"a list of rules with a reason and some of the keys {', '.join(KEYS)}: "
        '{"kind": "index", "object": "public.tmp_*", "reason": "being tried", "until": "2030-12-31"}',
    ),
    "DRIFT_SEVERITY": (
        lambda value: _is_mapping_of(value, lambda item: item in list(Severity)),
        'a mapping from kinds or attributes to "error", "warning" or "info": {"owner": "error"}',
    ),
    "SCHEMA_VERSIONS": (lambda value: _is_count(value) and value > 0, f"a number from 1 to {MAX_RETRIES}"),
    "SHADOW_DATABASE": (_or_none(_is_text), "None or the name of a database in DATABASES"),
    "DDL_LOG_DAYS": (_or_none(_is_days), "None or a number of days from 1"),
    "REPLAY_CACHE": (_or_none(_is_path), "None or the path of a folder"),
    "HEALTH_DAYS": (_or_none(_is_days), "None or a number of days from 1"),
    "HEALTH": (lambda value: _is_mapping_of(value, lambda item: True), "a mapping from names to values"),
    "LINT_STYLE": _BOOL,
    "PIPELINE": _BOOL,
    "PRODUCTION": _BOOL,
    "ADMIN_ACTIONS": _BOOL,
    "ADMIN_RUNNER": (_or_none(_is_text), 'None or the dotted path of a function: "shop.tasks.perform"'),
    "REVISION": (_or_none(_is_text), "None or a text"),
}
