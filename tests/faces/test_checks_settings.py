"""Tests of the checks of settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from sqlmigrations.checks.settings import RULES
from sqlmigrations.conf import NAMES
from tests.faces.checklists import check


def test_every_setting_has_a_rule_that_its_default_keeps() -> None:
    assert set(RULES) == set(NAMES)
    assert check() == []


GOOD: list[tuple[str, Any]] = [
    ("DIRS", []),
    ("DIRS", {}),
    ("DIRS", {"default": [], "other": ()}),
    ("APP_DIRS", False),
    ("ORDER", "number"),
    ("APPLY_ON_MIGRATE", True),
    ("LOCK_TIMEOUT", "500ms"),
    ("LOCK_TIMEOUT", "0"),
    ("RETRIES", 0),
    ("BATCH_PAUSE", "0"),
    ("BATCH_MAX_LAG", "1min"),
    ("STATEMENT_TIMEOUT", "10min"),
    ("LATE_FILES", "error"),
    ("REQUIRED_TABLES", {"users": ["id", "email"], "billing.invoices": ()}),
    ("DRIFT_LEVEL", "warning"),
    ("DRIFT_IGNORE", [{"object": "public.*", "reason": "theirs"}]),
    ("SHADOW_DATABASE", "other"),
    ("HEALTH", {"ignore": [], "thresholds": {"int4_pk": {"warning_percent": 40}}}),
    ("REVISION", "a1b2c3"),
]


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_good_values(settings: Settings, name: str, value: object) -> None:
    setattr(settings, f"SQLMIGRATIONS_{name}", value)
    assert check() == []


BOOL = "Set it to True or False."
DIRS = (
    "Set it to a list of folders, or a mapping from databases to such lists: "
    '{"default": [BASE_DIR / "migrations_sql"]}.'
)
LOCK_TIMEOUT = 'Set it to a time as PostgreSQL writes it: "3s", "500ms", or "0" for no limit.'
STATEMENT_TIMEOUT = 'Set it to None or a time as PostgreSQL writes it: "10min", "90s".'
REQUIRED_TABLES = 'Set it to a mapping from tables to lists of columns: {"users": ["id", "email"]}.'

IGNORED = (
    "Set it to a list of rules with a reason and some of the keys reason, kind, object, attribute, until: "
    '{"kind": "index", "object": "public.tmp_*", "reason": "being tried", "until": "2030-12-31"}.'
)
BAD: list[tuple[str, Any, str]] = [
    ("DIRS", "migrations_sql", DIRS),
    ("DIRS", Path("migrations_sql"), DIRS),
    ("DIRS", [3], DIRS),
    ("DIRS", {"default": "migrations_sql"}, DIRS),
    ("DIRS", None, DIRS),
    ("APP_DIRS", "False", BOOL),
    ("APPLY_ON_MIGRATE", 1, BOOL),
    ("PRODUCTION", "no", BOOL),
    ("ADMIN_ACTIONS", None, BOOL),
    ("ORDER", "names", 'Set it to "name" or "number".'),
    ("LOCK_TIMEOUT", 3, LOCK_TIMEOUT),
    ("LOCK_TIMEOUT", "3 seconds", LOCK_TIMEOUT),
    ("LOCK_TIMEOUT", None, LOCK_TIMEOUT),
    ("STATEMENT_TIMEOUT", "ten minutes", STATEMENT_TIMEOUT),
    ("RETRIES", -1, "Set it to a number from 0 to 1000."),
    ("RETRIES", True, "Set it to a number from 0 to 1000."),
    ("RETRIES", "5", "Set it to a number from 0 to 1000."),
    ("LATE_FILES", "refuse", 'Set it to "independent" or "allow" or "error".'),
    ("REQUIRED_TABLES", ["users"], REQUIRED_TABLES),
    ("REQUIRED_TABLES", {"users": "id"}, REQUIRED_TABLES),
    ("REQUIRED_TABLES", {"users": [1]}, REQUIRED_TABLES),
    ("DRIFT_LEVEL", "info", 'Set it to "error" or "warning".'),
    ("DRIFT_IGNORE", {"object": "x"}, IGNORED),
    ("DRIFT_IGNORE", [{"object": "x"}], IGNORED),
    ("DRIFT_IGNORE", [{"objects": "x", "reason": "theirs"}], IGNORED),
    ("DRIFT_IGNORE", [{"object": "x", "reason": "theirs", "until": "soon"}], IGNORED),
    (
        "DRIFT_SEVERITY",
        {"owner": "bad"},
        'Set it to a mapping from kinds or attributes to "error", "warning" or "info": {"owner": "error"}.',
    ),
    ("SCHEMA_VERSIONS", 0, "Set it to a number from 1 to 1000."),
    ("SHADOW_DATABASE", 1, "Set it to None or the name of a database in DATABASES."),
    ("HEALTH", ["ignore"], "Set it to a mapping from names to values."),
    ("REVISION", 17, "Set it to None or a text."),
]


@pytest.mark.parametrize(("name", "value", "hint"), BAD)
def test_bad_values(settings: Settings, name: str, value: object, hint: str) -> None:
    setattr(settings, f"SQLMIGRATIONS_{name}", value)
    assert check("default", "other") == [f"E002 settings.SQLMIGRATIONS_{name}: It is {value!r}. | {hint}"]


def test_unknown_settings(settings: Settings) -> None:
    settings.SQLMIGRATIONS_DIR = ["migrations_sql"]
    settings.SQLMIGRATIONS_LOCKTIMEOUT = "3s"
    settings.SQLMIGRATIONS_X = 1
    known = ", ".join(f"SQLMIGRATIONS_{name}" for name in sorted(NAMES))
    assert check() == [
        "E001 settings.SQLMIGRATIONS_DIR: There is no such setting. | Did you mean SQLMIGRATIONS_DIRS?",
        "E001 settings.SQLMIGRATIONS_LOCKTIMEOUT: There is no such setting. | Did you mean SQLMIGRATIONS_LOCK_TIMEOUT?",
        f"E001 settings.SQLMIGRATIONS_X: There is no such setting. | Known are: {known}.",
    ]


def test_unknown_databases(settings: Settings, folder: Path) -> None:
    settings.SQLMIGRATIONS_DIRS = {"defualt": [folder], "other": [folder]}
    settings.SQLMIGRATIONS_SHADOW_DATABASE = "shadow"
    names = "It names the database '{}', which DATABASES doesn't have."
    assert check() == [
        f"E003 settings.SQLMIGRATIONS_DIRS: {names.format('defualt')} | Did you mean default?",
        f"E003 settings.SQLMIGRATIONS_SHADOW_DATABASE: {names.format('shadow')} | Known are: default, other.",
    ]


def test_settings_of_health_checks(settings: Settings) -> None:
    settings.SQLMIGRATIONS_HEALTH = {"treshold": {}, "enabled": ["no_primary_kee"]}
    hint = "manage.py dbhealth --list shows the checks, --explain ID the thresholds of one."
    assert check() == [
        "E004 settings.SQLMIGRATIONS_HEALTH: 'enabled.no_primary_kee' is unknown: did you mean 'no_primary_key'? | "
        + hint,
        "E004 settings.SQLMIGRATIONS_HEALTH: 'treshold' is unknown: did you mean 'thresholds'? | " + hint,
    ]
