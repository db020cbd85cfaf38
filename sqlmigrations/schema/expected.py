"""What the models of the applied Django migrations expect, compared with what is there.

The models are not those of the code: they are rendered from the migrations that this database has, so that a pending
migration is no difference. Models say little: nothing of owners, grants, storage, triggers; what they don't know is
information. Their names of constraints and indexes are no evidence, since renaming a model or field keeps the old ones.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import django
from django.apps import apps as real_apps
from django.apps.registry import Apps
from django.conf import settings as django_settings
from django.db import router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.db.models import Model

from sqlmigrations import __version__
from sqlmigrations.database import Connection, fetch_all, fetch_row, raw
from sqlmigrations.history import Tables
from sqlmigrations.messages import gettext as _
from sqlmigrations.schema.catalog import Attributes, Catalog, Identity
from sqlmigrations.schema.deparse import compare_twice
from sqlmigrations.schema.difference import Difference, Skipped, Source
from sqlmigrations.schema.kept_expectations import Expected, keep_expected, read_expected
from sqlmigrations.schema.materialise import materialise
from sqlmigrations.schema.reader import CURRENT
from sqlmigrations.severity import Severity

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


def models_catalog(wrapper: BaseDatabaseWrapper, tables: Tables | None = None, key: str = "") -> Expected:
    """Return what the applied Django migrations say of this database, as PostgreSQL itself words it.

    It is kept, in memory and among ``tables``, for as long as what it depends on stays the same: its ``key``.

    Raises:
        NoScratch: it can't be found out in this database.
    """
    key = key or expectation_key(wrapper)
    if key not in _known:
        kept = read_expected(raw(wrapper), tables, key)
        if kept is None:
            kept = _found_out(wrapper)
            keep_expected(raw(wrapper), tables, key, kept)
        _known.clear()
        _known[key] = kept
    return _known[key]


_known: dict[str, Expected] = {}


def _found_out(wrapper: BaseDatabaseWrapper) -> Expected:
    executor = MigrationExecutor(wrapper)
    applied = frozenset(executor.loader.applied_migrations)
    return expected_of(wrapper, _state(executor, applied).apps, {label for label, _name in applied})


def expectation_key(wrapper: BaseDatabaseWrapper) -> str:
    """Return a digest of what the answer depends on: migrations, server, extensions, what names mean, code.

    No migration is loaded for it: the sources are read as they stand on disk.
    """
    there = fetch_row(
        raw(wrapper),
        "SELECT current_database(), current_setting('server_version'), current_setting('search_path'), "
        "(SELECT array_agg(concat(extname, extversion, extnamespace) ORDER BY oid) FROM pg_catalog.pg_extension)::text",
    )
    applied = _applied(raw(wrapper))
    given = (
        __version__,
        CURRENT.version,
        django.VERSION,
        django_settings.DEFAULT_AUTO_FIELD,
        str(django_settings.DATABASE_ROUTERS),
    )
    digest = hashlib.sha256(repr((wrapper.alias, applied, there, given)).encode())
    for path in sorted({*_migrations({label for label, _name in applied}), *_modules()}):
        digest.update(path.encode() + Path(path).read_bytes())
    return digest.hexdigest()


def _applied(connection: Connection) -> list[tuple[str, str]]:
    """Return what Django's history says; its own recorder lists every table of the database first."""
    if not fetch_row(connection, "SELECT pg_catalog.to_regclass('django_migrations') IS NOT NULL")[0]:
        return []
    return [(app, name) for app, name in fetch_all(connection, "SELECT app, name FROM django_migrations ORDER BY 1, 2")]


def _migrations(labels: Collection[str]) -> Iterator[str]:
    """Yield the paths of the migrations of apps."""
    for app in real_apps.get_app_configs():
        package, _is_explicit = MigrationLoader.migrations_module(app.label)
        if app.label in labels and package is not None:
            spec = find_spec(package)
            for folder in (spec and spec.submodule_search_locations) or ():
                yield from map(str, Path(folder).glob("*.py"))


def _modules() -> Iterator[str]:
    """Yield the paths of the modules, Django's own aside, that have a say: those of fields and of database routers."""
    classes = {type(field) for model in real_apps.get_models() for field in model._meta.local_fields}
    for each in {*classes, *map(type, router.routers)}:
        path = getattr(sys.modules.get(each.__module__), "__file__", None)
        if path and not each.__module__.startswith("django."):
            yield path


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
        Skipped(_("model {label}", label=label), why, _("Its table was not compared."))
        for label, why in sorted(made.failed.items())
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
    theirs = part_of_models(expected, found)
    judge = _Judge(expected, theirs)
    differences = compare_twice(connection, expected.catalog, theirs, source=Source.MODELS, severities=severities)
    return tuple(judged for each in differences if (judged := judge.judge(each)) is not None)


def part_of_models(expected: Expected, catalog: Catalog) -> Catalog:
    """Return what models can say of a catalog: of all tables, and of what belongs to those that they expect."""
    tables = {identity.name for identity in expected.catalog.objects if identity.kind == "table"}
    return _sayable(
        {
            identity: attributes
            for identity, attributes in catalog.objects.items()
            if attributes.get("table", identity.name) in tables or identity.kind == "table"
        }
    )


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
