"""``makesql --from-migration`` writes what a Django migration does as a file and its down script."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections

from sqlmigrations.schema.catalog import Catalog, read_catalog
from tests.databases import session
from tests.helpers import Ran, applysql, manage

APP = {
    "models.py": "",
    "migrations/0001_initial.py": """
from django.db import migrations, models

class Migration(migrations.Migration):
    initial = True
    operations = [migrations.CreateModel("Item", [("id", models.BigAutoField(primary_key=True)),
                                                  ("name", models.TextField())])]
""",
    "migrations/0002_price_and_kind.py": """
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("stock", "0001_initial")]
    operations = [
        migrations.AddField("item", "price", models.DecimalField(max_digits=8, decimal_places=2, default=0)),
        migrations.AddField("item", "kind", models.CharField(max_length=9, unique=True, null=True)),
        migrations.AddConstraint("item", models.CheckConstraint(condition=models.Q(price__gte=0), name="not_negative")),
        migrations.RunSQL("COMMENT ON TABLE stock_item IS '100 % sold'", "COMMENT ON TABLE stock_item IS NULL"),
    ]
""",
    "migrations/0003_fill.py": """
from django.db import migrations

def fill(apps, schema_editor):
    raise AssertionError("it is only described")

class Migration(migrations.Migration):
    atomic = False
    dependencies = [("stock", "0002_price_and_kind")]
    operations = [
        migrations.RunPython(fill),
        migrations.RunSQL("CREATE INDEX CONCURRENTLY item_name ON stock_item (name)"),
    ]
""",
    "migrations/0004_state.py": """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("stock", "0003_fill")]
    operations = [migrations.AlterModelOptions("item", {"verbose_name": "thing"})]
""",
    "migrations/0005_state_too.py": """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("stock", "0004_state")]
    operations = []
""",
}


@pytest.fixture
def stock(fresh_database: str, folder: Path, install: Callable[..., Path]) -> Path:
    """Install an app that has migrations of many kinds, and apply its first one."""
    made = install("stock", APP)
    call_command("migrate", "stock", "0001", stdout=io.StringIO())
    return made


def catalog() -> Catalog:
    """Read the schema."""
    with session() as connection:
        return read_catalog(connection)


def objects(found: Catalog) -> dict[Any, Any]:
    """Return the objects of the app, without what only the order in which they came tells."""
    return {
        identity: {key: value for key, value in attributes.items() if key not in ("column_order", "position")}
        for identity, attributes in found.objects.items()
        if "stock" in identity.name or "not_negative" in identity.name
    }


def test_the_file_does_what_the_migration_does(stock: Path, folder: Path) -> None:
    before = objects(catalog())
    assert manage("makesql", "--from-migration", "stock", "0002") == Ran(
        f"Made {folder}/001_price_and_kind.sql\nMade {folder}/001_price_and_kind.down.sql\n"
        "Read it. To let the migration run it, give the migration's operations to it as state_operations:\n"
        "  operations = [ApplySQL('001_price_and_kind.sql', state_operations=[...])]\n"
        "Where the migration is applied already, record the file without running it:\n"
        "  manage.py applysql --fake 001_price_and_kind.sql\n",
        "",
        0,
    )
    text = (folder / "001_price_and_kind.sql").read_text()
    assert text.startswith(
        "-- What Django's migration stock.0002_price_and_kind does.\n"
        "-- sqlmigrations: requires django:stock.0001_initial\n"
        "--\n-- Add field price to item\n--\nALTER TABLE "
    )
    assert (
        (folder / "001_price_and_kind.down.sql")
        .read_text()
        .startswith("-- What undoes Django's migration stock.0002_price_and_kind.\n--\n")
    )
    assert applysql().code == 0
    by_file = objects(catalog())
    assert manage("revertsql", "001", "--noinput").code == 0
    assert objects(catalog()) == before
    call_command("migrate", "stock", "0002", stdout=io.StringIO())
    assert objects(catalog()) == by_file != before


def test_what_is_no_sql_is_told(stock: Path, folder: Path) -> None:
    call_command("migrate", "stock", "0002", stdout=io.StringIO())
    made = manage("makesql", "names", "--from-migration", "stock", "0003_fill", "--app", "stock", "-v0")
    place = stock / "migrations_sql" / "001_names.sql"
    assert made == Ran(f"Made {place}\n", "Left out, since it is no SQL: Raw Python operation\n", 0)
    assert place.read_text() == (
        "-- What Django's migration stock.0003_fill does.\n"
        "-- sqlmigrations: transaction off\n"
        "-- sqlmigrations: requires django:stock.0002_price_and_kind\n"
        "--\n-- Raw Python operation\n--\n-- THIS OPERATION CANNOT BE WRITTEN AS SQL\n"
        "--\n-- Raw SQL operation\n--\nCREATE INDEX CONCURRENTLY item_name ON stock_item (name);\n"
    )
    document = json.loads(manage("makesql", "again", "--from-migration", "stock", "0003", "--format", "json").out)
    assert (document["down"], document["left_out"]) == (None, ["Raw Python operation"])
    assert list(folder.glob("*.down.sql")) == []
    connections["default"].close()


def test_what_can_not_be_written(stock: Path, folder: Path) -> None:
    for arguments, error in (
        (
            ("stock", "0009"),
            "The app 'stock' has no migration '0009'.\n  See them with: manage.py showmigrations stock",
        ),
        (("stock", "000"), "Several migrations of 'stock' begin with '000'.\n  Write more of it."),
        (("shop", "0001"), "There is no app 'shop' with migrations.\n  Name one by its label."),
        (("stock", "0004"), "The migration stock.0004_state changes nothing in database 'default'."),
    ):
        assert manage("makesql", "--from-migration", *arguments) == Ran("", f"CommandError: {error}\n", 2)
    assert manage("makesql") == Ran("", "CommandError: Say what the file changes: makesql NAME.\n", 2)
    assert list(folder.iterdir()) == []
