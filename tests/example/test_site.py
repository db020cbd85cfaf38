"""The example's admin, with the example's own settings in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from project.env import BASE_DIR
from project.postgres import database_url

from .scripts import query

pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("seeded")]

ADMIN = "/admin/tabletop"
KEEP = "20000000-0000-4000-8000-000000000001"
MIRA = "10000000-0000-4000-8000-000000000001"


def visit(*pages: tuple[str, dict[str, str] | None]) -> list[Any]:
    """Visit pages of the site on the test's database; return status, target and complaints of each answer."""
    [(name,)] = query("SELECT current_database()")
    environment = {
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DATABASE_URL": database_url(name),
        "SECRET_KEY": "of the test",
        "ALLOWED_HOSTS": "testserver",
        "DEBUG": "false",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.example.visit", json.dumps(pages)],
        cwd=BASE_DIR,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return list(json.loads(done.stdout))


def test_every_page_opens() -> None:
    pages = [
        "/player/",
        "/player/?q=mira",
        f"/player/{MIRA}/change/",
        "/gamesystem/",
        "/gamesystem/add/",
        "/gamesystem/freeform/change/",
        "/campaign/",
        "/campaign/?state__exact=active",
        "/campaign/?q=mira",
        "/campaign/add/",
        f"/campaign/{KEEP}/change/",
        f"/campaign/{KEEP}/delete/",
        "/announcement/",
        "/announcement/add/",
    ]
    assert visit(*((ADMIN + page, None) for page in pages)) == [[200, None, []]] * len(pages)


def test_forms_write_rows_or_say_what_is_wrong() -> None:
    campaign = {"game_master": MIRA, "state": "planned", "name": "New", "slug": "new", "properties": "{}"}
    answers = visit(
        (f"{ADMIN}/campaign/add/", campaign),
        (f"{ADMIN}/campaign/add/", campaign),
        (f"{ADMIN}/campaign/add/", campaign | {"slug": "New Slug"}),
        (f"{ADMIN}/announcement/add/", {"campaign": KEEP, "title": "Bring dice"}),
    )
    assert answers == [
        [302, f"{ADMIN}/campaign/", []],
        [200, None, ["Campaign with this Slug already exists."]],
        [200, None, ["Small letters, digits and single hyphens between them, please."]],
        [302, f"{ADMIN}/announcement/", []],
    ]
    assert query("SELECT campaign_id::text, title FROM tabletop_announcement") == [(KEEP, "Bring dice")]
    assert query("SELECT action, new_row ->> 'slug' FROM audit_log ORDER BY id DESC LIMIT 1") == [("INSERT", "new")]
