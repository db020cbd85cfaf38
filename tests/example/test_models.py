"""The models say what the tables are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import connection, models

from tests.helpers import Settings

from .scripts import query

pytestmark = pytest.mark.usefixtures("world")

COLUMNS = """
    SELECT attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid)
      FROM pg_attribute
      LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
     WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
     ORDER BY attname
"""


@pytest.fixture(autouse=True)
def tabletop(settings: Settings) -> Iterator[None]:
    """Install the example's app; what it registers in the admin is forgotten again."""
    registered = dict(admin.site._registry)
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "project.tabletop"]
    yield
    admin.site._registry = registered


def model(name: str) -> Any:
    """Return one of the example's models."""
    return apps.get_model("tabletop", name)


@pytest.mark.parametrize("name", ["Player", "GameSystem", "Campaign"])
def test_columns_are_what_django_would_have_made(name: str) -> None:
    """Types, NOT NULL and defaults are compared, as PostgreSQL spells them."""
    table = model(name)._meta.db_table
    live = query(COLUMNS, f"public.{table}")
    query("CREATE SCHEMA scratch")
    query("SET LOCAL search_path = scratch")
    with connection.schema_editor() as editor:
        editor.create_model(model(name))
        editor.deferred_sql.clear()  # foreign keys and indexes: nothing that they refer to is in the scratch schema
    assert query(COLUMNS, f"scratch.{table}") == live


def test_unmanaged_models_are_those_of_the_sql_files() -> None:
    managed = {table._meta.object_name: table._meta.managed for table in apps.get_app_config("tabletop").get_models()}
    assert managed == {"Player": False, "GameSystem": False, "Campaign": False, "Announcement": True}


@pytest.mark.parametrize("name", ["Player", "GameSystem", "Campaign"])
def test_constraints_have_the_names_of_the_live_ones(name: str) -> None:
    live = {
        constraint
        for (constraint,) in query(
            "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass "
            "UNION SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = %s::regclass",
            model(name)._meta.db_table,
            model(name)._meta.db_table,
        )
    }
    assert {constraint.name for constraint in model(name)._meta.constraints} <= live


def test_states_are_those_that_the_check_allows() -> None:
    [(definition,)] = query(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'campaigns_state_check'"
    )
    assert re.findall(r"'(\w+)'", definition) == model("Campaign").State.values


def test_rows_are_made_with_the_defaults_of_the_database() -> None:
    player = model("Player").objects.create(display_name="New", email="new@example.com")
    campaign = model("Campaign").objects.create(game_master=player, name="First", slug="first")
    campaign.refresh_from_db()
    assert (campaign.id.version, campaign.state, campaign.description, campaign.properties) == (4, "planned", "", {})
    assert (campaign.game_system, campaign.created_at) == (None, player.created_at)
    assert query("SELECT game_master FROM campaign_overview WHERE campaign_id = %s", campaign.pk) == [("New",)]


@pytest.mark.parametrize(
    ("name", "lookup", "changes", "messages"),
    [
        ("Campaign", {"slug": "salt-and-lanterns"}, {"slug": "Salt and Lanterns"},
         ["Small letters, digits and single hyphens between them, please."]),
        ("Campaign", {"slug": "salt-and-lanterns"}, {"slug": "curse-of-the-amber-keep"},
         ["Campaign with this Slug already exists."]),
        ("Player", {"display_name": "Kwame"}, {"email": "MIRA@example.com"},
         ["Somebody signs in with this address already."]),
        ("Campaign", {"slug": "salt-and-lanterns"}, {"state": "lost"}, ["Value 'lost' is not a valid choice."]),
    ],
)  # fmt: skip
def test_validation_finds_out_before_the_database_refuses(
    name: str, lookup: dict[str, str], changes: dict[str, str], messages: list[str]
) -> None:
    row: models.Model = model(name).objects.get(**lookup)
    for field, value in changes.items():
        setattr(row, field, value)
    with pytest.raises(ValidationError) as caught:
        row.full_clean()
    assert caught.value.messages == messages
