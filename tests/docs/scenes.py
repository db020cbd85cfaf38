"""The pages that tests walk through, and what they find when they begin."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from project.env import BASE_DIR
from tests.docs.walk import File, Walk
from tests.faults.databases import connect, server_under_test
from tests.faults.pgbouncer import pgbouncer

_numbers = itertools.count(1)

#: What gathers over the years, besides customers and orders.
_TABLES = [f"ledger_{year}" for year in range(1997, 2025)]


def old_tables() -> Iterator[str]:
    """Yield what makes thirty tables, as somebody might have written it long ago."""
    yield "CREATE TABLE customers (id serial PRIMARY KEY, email varchar(200) NOT NULL UNIQUE);"
    yield """CREATE TABLE orders (id serial PRIMARY KEY, customer_id int NOT NULL REFERENCES customers,
             total numeric(10, 2) NOT NULL CHECK (total >= 0), placed timestamptz DEFAULT now());"""
    for name in _TABLES:
        yield f"CREATE TABLE {name} (id serial PRIMARY KEY, name varchar(50) NOT NULL, note text DEFAULT '');"
        yield f"CREATE INDEX {name}_name_idx ON {name} (lower(name));"


#: A project as small as one can be.
PROJECT = (
    File(
        "manage.py",
        """import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
if __name__ == "__main__":
    execute_from_command_line(sys.argv)
""",
    ),
    File(
        "config/settings.py",
        """from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "of the test"
USE_TZ = True
INSTALLED_APPS = []
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "shop"}}
""",
    ),
)

#: The same with the package installed.
INSTALLED = (
    *PROJECT,
    File(
        "config/settings.py",
        """INSTALLED_APPS += ["sqlmigrations"]
SQLMIGRATIONS_DIRS = [BASE_DIR / "migrations_sql"]
""",
    ),
)


#: An app that has migrations.
APP = (
    File("config/settings.py", 'INSTALLED_APPS += ["catalogue"]\n'),
    File("migrations_sql/.gitkeep", ""),
    File("catalogue/__init__.py", ""),
    File("catalogue/migrations/__init__.py", ""),
)


SALES = (
    File("config/settings.py", 'INSTALLED_APPS += ["sales"]\nDEFAULT_AUTO_FIELD = "django.db.models.AutoField"\n'),
)


@dataclass(frozen=True)
class Scene:
    """What a page begins with: databases that it works on, SQL that fills those which are there, files.

    Only ``tutorial.md`` and what is as cheap are walked through by every run of the tests.
    """

    databases: tuple[str, ...] = ("shop",)
    there: Mapping[str, str] = field(default_factory=dict)
    files: tuple[File, ...] = ()
    nightly: bool = True
    #: PgBouncer in transaction mode stands before the server, at the page's port 6432; the server is db.internal:5432.
    pooler: bool = False


#: What other tools leave behind: their histories and their files.
LEFT = Path(__file__).with_name("left_by")


def below(folder: Path) -> tuple[File, ...]:
    """Return the SQL files in the folders below ``folder``."""
    found = [path for path in sorted(folder.rglob("*.sql")) if path.parent != folder]
    return tuple(File(str(path.relative_to(folder)), path.read_text(encoding="utf-8")) for path in found)


def left_by(tool: str) -> Scene:
    """Return what a guide begins with: a project, the database as the tool left it, and the tool's files."""
    folder = LEFT / tool
    history = (folder / "history.sql").read_text(encoding="utf-8")
    return Scene(there={"shop": history}, files=(*INSTALLED, *below(folder)))


#: The files that most examples are about, in a project with an empty database.
SHOP = Scene(there={"shop": ""}, files=(*INSTALLED, *below(Path(__file__).with_name("shop"))))


#: A table that is large, and known to be so.
LARGE_TABLE = """
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text NOT NULL);
INSERT INTO orders (code) SELECT 'c' || n FROM generate_series(1, 300000) AS n;
CREATE TABLE countries (name text PRIMARY KEY);
INSERT INTO countries SELECT 'country ' || n FROM generate_series(1, 40) AS n;
ANALYZE;
"""

SCENES = {
    "README.md": Scene(there={"shop": ""}, files=PROJECT, nightly=False),
    "docs/tutorial.md": Scene(nightly=False),
    "docs/existing-database.md": Scene(there={"shop": "".join(old_tables())}),
    "docs/howto/from-dbmate.md": Scene(there={"shop": ""}, files=INSTALLED),
    "docs/howto/from-flyway.md": left_by("flyway"),
    "docs/howto/from-goose.md": left_by("goose"),
    "docs/howto/from-golang-migrate.md": left_by("golang_migrate"),
    "docs/howto/from-a-table-of-files.md": left_by("table_of_files"),
    "docs/howto/baseline.md": SHOP,
    "docs/howto/drift.md": SHOP,
    "docs/howto/fix-drift.md": SHOP,
    "docs/howto/replay.md": SHOP,
    "docs/howto/backup.md": SHOP,
    "docs/howto/ddl-log.md": SHOP,
    "docs/howto/lint.md": Scene(there={"shop": LARGE_TABLE}, files=INSTALLED),
    "docs/howto/rehearse.md": Scene(there={"shop": ""}, files=INSTALLED),
    "docs/howto/backfill.md": Scene(there={"shop": ""}, files=INSTALLED),
    "docs/explanation/locks.md": Scene(there={"shop": ""}, files=INSTALLED),
    "docs/explanation/history-chain.md": SHOP,
    "docs/reference/events.md": SHOP,
    "docs/howto/tests.md": replace(SHOP, databases=("shop", "test_shop")),
    "docs/howto/several-databases.md": Scene(
        ("shop", "reports", "shard01", "shard02"),
        {"shop": "", "reports": "", "shard01": "", "shard02": "CREATE TABLE orders ();"},
        (*SHOP.files, File("reports_sql/001_daily_totals.sql", "CREATE TABLE daily_totals (day date PRIMARY KEY);\n")),
    ),
    "docs/reference/settings.md": SHOP,
    "docs/howto/health.md": SHOP,
    "docs/howto/django-migrations.md": Scene(
        there={"shop": ""},
        files=(*INSTALLED, *SALES, File("migrations_sql/.gitkeep", "")),
    ),
    "docs/howto/poolers.md": replace(SHOP, pooler=True),
    "docs/howto/revert.md": SHOP,
    "docs/howto/seeds.md": SHOP,
    "docs/reference/commands.md": SHOP,
    "docs/reference/files.md": SHOP,
    "docs/howto/recover.md": Scene(
        ("shop", "shop_template", "shop_archive"), {"shop": "", "shop_template": ""}, INSTALLED
    ),
    "docs/howto/restore.md": Scene(there={"shop": ""}, files=INSTALLED),
    "docs/howto/zero-downtime.md": left_by("zero_downtime"),
    "docs/howto/from-runsql.md": Scene(there={"shop": ""}, files=(*INSTALLED, *APP)),
}


@contextlib.contextmanager
def walk(page: Path, folder: Path, *, python: Path | None = None, wheel: Path | None = None) -> Iterator[Walk]:
    """Yield a reader of ``page`` with databases of its own; with ``wheel``, it is what ``python`` installs."""
    scene = SCENES[str(page.relative_to(BASE_DIR))]
    number = next(_numbers)
    words = {name: f"sqlm_docs_{os.getpid()}_{number}_{name}" for name in scene.databases}
    with contextlib.ExitStack() as stack:
        if scene.pooler:
            server = server_under_test()
            through = stack.enter_context(pgbouncer(server))
            with connect(server) as session:
                host, port = session.info.host, session.info.port
            words |= {"6432": str(through.port), "5432": str(port), "db.internal": host}
        reader = Walk(folder, words, scene.databases, scene.there, scene.files, python or Path(sys.executable), wheel)
        yield stack.enter_context(reader)
