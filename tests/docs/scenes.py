"""The pages that tests walk through, and what they find when they begin."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from project.env import BASE_DIR
from tests.docs.walk import File, Walk

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


@dataclass(frozen=True)
class Scene:
    """What a page begins with: databases that it works on, SQL that fills those which are there, files.

    Only ``tutorial.md`` and what is as cheap are walked through by every run of the tests.
    """

    databases: tuple[str, ...] = ("shop",)
    there: Mapping[str, str] = field(default_factory=dict)
    files: tuple[File, ...] = ()
    nightly: bool = True


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
    "docs/howto/revert.md": SHOP,
    "docs/howto/seeds.md": SHOP,
    "docs/reference/commands.md": SHOP,
    "docs/reference/files.md": SHOP,
    "docs/howto/recover.md": Scene(there={"shop": ""}, files=INSTALLED),
    "docs/howto/restore.md": Scene(there={"shop": ""}, files=INSTALLED),
    "docs/howto/zero-downtime.md": left_by("zero_downtime"),
    "docs/howto/from-runsql.md": Scene(there={"shop": ""}, files=(*INSTALLED, *APP)),
}


def walk(page: Path, folder: Path, *, python: Path | None = None, wheel: Path | None = None) -> Walk:
    """Return a reader of ``page`` with databases of its own; with ``wheel``, it is what ``python`` installs."""
    scene = SCENES[str(page.relative_to(BASE_DIR))]
    number = next(_numbers)
    words = {name: f"sqlm_docs_{os.getpid()}_{number}_{name}" for name in scene.databases}
    return Walk(folder, words, scene.databases, scene.there, scene.files, python or Path(sys.executable), wheel)
