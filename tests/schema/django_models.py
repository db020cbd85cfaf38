"""Makes the models of Django's own test suite and prints what their comparison finds; a process of its own.

Called with the folder ``tests`` of Django's source, and the URL of an empty database.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from pathlib import Path

import environ

#: Apps whose models need what a server may lack (PostGIS, ICU), or what migrations don't know (an order by a generic
#: foreign key).
LEFT_OUT = frozenset({"gis_tests", "inspectdb", "model_fields", "contenttypes_tests"})

APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sites",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.flatpages",
    "django.contrib.redirects",
    "sqlmigrations",
]

EXTENSIONS = ("hstore", "btree_gin", "btree_gist", "citext", "pg_trgm", "unaccent")


def main(folder: Path, url: str) -> None:
    """Install the apps, make their tables, compare, and print each difference."""
    from django.conf import settings

    warnings.simplefilter("ignore")
    sys.path.insert(0, str(folder))
    database = environ.Env.db_url_config(url)
    settings.configure(
        INSTALLED_APPS=APPS,
        DATABASES={"default": database, "other": {**database, "NAME": "unused"}},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        USE_TZ=True,
        SECRET_KEY="only for tests",
        MIGRATION_MODULES={},
    )
    import django

    django.setup()
    labels = install(folder)
    compare(labels)


def install(folder: Path) -> set[str]:
    """Install all apps with models, none of them with migrations; return their labels."""
    from django.apps import apps
    from django.conf import settings

    names = sorted(
        path.name for path in folder.iterdir() if (path / "models.py").exists() or (path / "models").is_dir()
    )
    names = [name for name in names if name not in LEFT_OUT]
    for name in names:
        importlib.import_module(name)
    settings.INSTALLED_APPS = [*APPS, *names]
    apps.set_installed_apps(settings.INSTALLED_APPS)
    labels = {config.label for config in apps.get_app_configs()}
    settings.MIGRATION_MODULES = dict.fromkeys(labels)
    return labels


def compare(labels: set[str]) -> None:
    """Make the tables as ``migrate --run-syncdb`` does, and print what is found."""
    from django.apps import apps
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.state import ProjectState

    from sqlmigrations.database import raw
    from sqlmigrations.schema.catalog import read_catalog
    from sqlmigrations.schema.expected import compare_models, expected_of

    with connection.cursor() as cursor:
        for extension in EXTENSIONS:
            cursor.execute(f"CREATE EXTENSION {extension}")
    call_command("migrate", run_syncdb=True, verbosity=0)
    expected = expected_of(connection, ProjectState.from_apps(apps).apps, labels)
    for skipped in expected.skipped:
        print("skipped", skipped.what, skipped.reason)
    for difference in compare_models(raw(connection), expected, read_catalog(raw(connection))):
        print(difference.severity, difference.kind, difference.object, difference.attribute)
    print(sum(1 for kind, _name in expected.catalog.objects if kind == "table"), "tables")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
