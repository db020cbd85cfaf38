"""What the models of the applied Django migrations expect, compared with what is there.

The models are not those of the code: they are rendered from the migrations that this database has, so that a pending
migration is no difference. Models say little: nothing of owners, grants, storage, triggers; what they don't know is
information. Their names of constraints and indexes are no evidence, since renaming a model or field keeps the old ones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

import django
from django.apps.registry import Apps
from django.conf import settings as django_settings
from django.db import router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState
from django.db.models import Model

from sqlmigrations.database import Connection, fetch_row, raw
from sqlmigrations.schema.catalog import Attributes, Catalog, Identity
from sqlmigrations.schema.deparse import compare_twice
from sqlmigrations.schema.difference import Difference, Severity, Skipped, Source
from sqlmigrations.schema.materialise import materialise

#: What models can say, by kind; the rest is not compared with them.
SAYS: Mapping[str, frozenset[str]] = {
    "table": frozenset({"comment", "tablespace"}),
    "column": frozenset(
        {"table", "position", "type", "not_null", "default", "identity", "generated", "collation", "comment"}
    ),
    "constraint": frozenset(
        {
            "table",
            "type",
            "columns",
            "references",
            "validated",
            "deferrable",
            "initially_deferred",
            "enforced",
            "index_valid",
            "definition",
        }
    ),
    "index": frozenset(
        {"table", "unique", "method", "columns", "predicate", "valid", "ready", "options", "tablespace", "definition"}
    ),
}

#: Attributes of a column without which it is another one; any other that a model doesn't name may be there.
_ALWAYS = frozenset({"type", "not_null", "generated"})


@dataclass(frozen=True, slots=True)
class Expected:
    """What models expect.

    ``links`` are the tables that Django makes for many-to-many fields, ``named`` the names of indexes and constraints
    that models give: all others are made up by Django and PostgreSQL when something is made, and kept for good.
    """

    catalog: Catalog
    links: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    skipped: tuple[Skipped, ...] = ()


def models_catalog(wrapper: BaseDatabaseWrapper) -> Expected:
    """Return what the applied Django migrations say of this database, as PostgreSQL itself words it.

    It is kept in memory for as long as migrations, settings and server stay the same.

    Raises:
        NoScratch: it can't be found out in this database.
    """
    executor = MigrationExecutor(wrapper)
    applied = frozenset(executor.loader.applied_migrations)
    key = _key(wrapper, applied)
    if key not in _known:
        _known.clear()
        apps = _state(executor, applied).apps
        _known[key] = expected_of(wrapper, apps, {label for label, _name in applied})
    return _known[key]


_known: dict[tuple[object, ...], Expected] = {}


def _key(wrapper: BaseDatabaseWrapper, applied: frozenset[tuple[str, str]]) -> tuple[object, ...]:
    """Return what the answer depends on: migrations, server, extensions, what names mean, Django."""
    connection = raw(wrapper)
    there = fetch_row(
        connection,
        "SELECT current_database(), current_setting('server_version'), current_setting('search_path'), "
        "(SELECT array_agg(concat(extname, extversion, extnamespace) ORDER BY oid) FROM pg_catalog.pg_extension)::text",
    )
    given = (django.VERSION, django_settings.DEFAULT_AUTO_FIELD, str(django_settings.DATABASE_ROUTERS))
    return (wrapper.alias, applied, there, given)


def _state(executor: MigrationExecutor, applied: frozenset[tuple[str, str]]) -> ProjectState:
    """Return the models as the applied migrations leave them."""
    state = ProjectState(real_apps=executor.loader.unmigrated_apps)
    for migration, _backwards in executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True):
        if (migration.app_label, migration.name) in applied:
            migration.mutate_state(state, preserve=False)
    return state


def expected_of(wrapper: BaseDatabaseWrapper, apps: Apps, labels: set[str]) -> Expected:
    """Return what the models of the apps ``labels`` expect; ``apps`` are rendered state apps, and spoiled by it.

    Raises:
        NoScratch: it can't be found out in this database.
    """
    models = [model for model in apps.get_models() if _has_table(model, wrapper, labels)]
    made = materialise(wrapper, models, apps)
    skipped = tuple(
        Skipped(f"model {label}", why, "Its table was not compared.") for label, why in sorted(made.failed.items())
    )
    return Expected(_sayable(made.catalog.objects), made.links, _named(models), skipped)


def _named(models: Iterable[type[Model]]) -> frozenset[str]:
    """Return the names that models give to indexes and constraints."""
    return frozenset(each.name for model in models for each in (*model._meta.indexes, *model._meta.constraints))


def _has_table(model: type[Model], wrapper: BaseDatabaseWrapper, labels: Collection[str]) -> bool:
    """Say whether the migrations make the table of ``model`` in this database."""
    if model._meta.app_label not in labels or not model._meta.can_migrate(wrapper):
        return False  # Django itself leaves out unmanaged, proxy and swapped models, and those for other databases
    return bool(router.allow_migrate_model(wrapper.alias, model))


def _sayable(objects: Mapping[Identity, Attributes]) -> Catalog:
    """Return what models can say of objects."""
    return Catalog(
        {
            identity: {key: value for key, value in attributes.items() if key in SAYS[identity.kind]}
            for identity, attributes in objects.items()
            if identity.kind in SAYS
        }
    )


def compare_models(
    connection: Connection, expected: Expected, found: Catalog, *, severities: Mapping[str, Severity] | None = None
) -> tuple[Difference, ...]:
    """Return what the models' tables miss or have otherwise; ``found`` is the whole catalog of the live database.

    What models don't know is information: a further column, index or constraint, a default that only the database has.
    """
    tables = {identity.name for identity in expected.catalog.objects if identity.kind == "table"}
    theirs = _sayable(
        {
            identity: attributes
            for identity, attributes in found.objects.items()
            if attributes.get("table", identity.name) in tables or identity.kind == "table"
        }
    )
    judge = _Judge(expected, theirs)
    differences = compare_twice(connection, expected.catalog, theirs, source=Source.MODELS, severities=severities)
    return tuple(judged for each in differences if (judged := judge.judge(each)) is not None)


@dataclass(frozen=True)
class _Judge:
    """Tells what is wrong for the models from what they don't know."""

    expected: Expected
    found: Catalog

    def judge(self, difference: Difference) -> Difference | None:
        """Return the difference with the severity that it has for models, or nothing where it is none for them."""
        identity = Identity(difference.kind, difference.object)
        ours = self.expected.catalog.objects.get(identity)
        theirs = self.found.objects.get(Identity(difference.kind, difference.found_object or difference.object), {})
        if ours is None:
            return self._extra(difference, theirs)
        if difference.attribute == "presence":
            return difference
        if difference.attribute == "name" and difference.expected.strip('"') not in self.expected.named:
            return None
        if self._is_tolerated(difference, ours, theirs):
            return replace(difference, severity=Severity.INFO)
        return difference

    def _extra(self, difference: Difference, theirs: Attributes) -> Difference | None:
        """Judge an object that models don't know; a table of its own is none of their business."""
        if difference.kind == "table":
            return None
        refuses = (
            difference.kind == "column"
            and "not_null" in theirs
            and not theirs.keys() & {"default", "identity", "generated"}
        )
        return replace(difference, severity=Severity.WARNING if refuses else Severity.INFO)

    def _is_tolerated(self, difference: Difference, ours: Attributes, theirs: Attributes) -> bool:
        """Tell whether a project works with an attribute that its models don't expect."""
        key = difference.attribute
        if difference.kind == "column" and ours.get("table") in self.expected.links and key == "type":
            return True  # DEFAULT_AUTO_FIELD was another one when the table was made; no migration follows it there
        if key in ("identity", "default") and "identity" in ours and _is_serial(theirs):
            return True  # Django made serial columns until 4.1, and leaves them as they are
        return key not in ours and key not in _ALWAYS and difference.kind in ("column", "table")


def _is_serial(attributes: Attributes) -> bool:
    return str(attributes.get("default", "")).startswith("nextval(")
