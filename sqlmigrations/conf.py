"""The settings, read when they are used, so that ``override_settings`` works in any project's tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings as django_settings

PREFIX = "SQLMIGRATIONS_"

Directory = str | Path
Directories = Sequence[Directory] | Mapping[str, Sequence[Directory]]


class Settings:
    """Read ``settings.SQLMIGRATIONS_<NAME>``; the values below are the defaults."""

    #: Folders of SQL files: a list for ``default``, or a mapping from alias to list.
    DIRS: Directories = ()
    #: Also take ``<app>/migrations_sql/`` of each installed app.
    APP_DIRS: bool = True
    #: ``"name"`` sorts by name, ``"number"`` by the leading digits as a number.
    ORDER: str = "name"
    #: Apply what is pending after each ``manage.py migrate``, in test databases too.
    APPLY_ON_MIGRATE: bool = False
    #: How long a statement of a transactional file may wait for a lock.
    LOCK_TIMEOUT: str = "3s"
    #: How often a file is tried again after a lock timeout or a deadlock.
    RETRIES: int = 5
    #: Send a transactional file's statements without waiting for each other's answers.
    PIPELINE: bool = True
    #: How long one statement may run; ``None`` leaves the server's own setting.
    STATEMENT_TIMEOUT: str | None = None
    #: How long a file with ``batch`` pauses between two batches.
    BATCH_PAUSE: str = "50ms"
    #: How far a replica may be behind before the next batch begins; ``"0"`` doesn't ask.
    BATCH_MAX_LAG: str = "10s"
    #: ``"independent"``, ``"allow"`` or ``"error"``: what to do with late files.
    LATE_FILES: str = "independent"
    #: Tables, and their columns, that must exist: ``{"users": ["id", "email"]}``.
    REQUIRED_TABLES: Mapping[str, Sequence[str]] = {}
    #: ``"error"`` or ``"warning"``: the level of drift in ``manage.py check --database``.
    DRIFT_LEVEL: str = "error"
    #: Rules of accepted drift, each with a reason and an expiry.
    DRIFT_IGNORE: Sequence[Mapping[str, str]] = ()
    #: Severities of drift by kind, attribute or ``kind.attribute``: ``{"owner": "error", "index.extra": "info"}``.
    DRIFT_SEVERITY: Mapping[str, str] = {}
    #: How many versions of the schema are kept.
    SCHEMA_VERSIONS: int = 100
    #: The alias of a database where scratch databases may be made.
    SHADOW_DATABASE: str | None = None
    #: The folder in which replays are kept, so that what was made in one place is only read in another.
    REPLAY_CACHE: Directory | None = None
    #: How many days the changes in the DDL log are kept; ``None`` keeps them for good.
    DDL_LOG_DAYS: int | None = 365
    #: Thresholds and ignores of health checks.
    HEALTH: Mapping[str, Any] = {}
    #: How many days what ``dbhealth --keep`` and ``applysql --gate`` measured is kept; ``None`` keeps it for good.
    HEALTH_DAYS: int | None = 365
    #: Lint for matters of style too.
    LINT_STYLE: bool = False
    #: This is a production database: test seeds and scratch databases are refused.
    PRODUCTION: bool = False
    #: Offer actions that change the database in the admin.
    ADMIN_ACTIONS: bool = False
    #: The dotted path of a function that starts what was asked for in the admin, instead of a process of its own.
    ADMIN_RUNNER: str | None = None
    #: The code's revision, kept with each event; found from the environment when ``None``.
    REVISION: str | None = None

    def __getattribute__(self, name: str) -> Any:
        default = object.__getattribute__(self, name)
        if name.startswith("_"):
            return default
        return getattr(django_settings, PREFIX + name, default)


#: Names of all settings, without their prefix.
NAMES: frozenset[str] = frozenset(vars(Settings)["__annotations__"])

settings = Settings()
