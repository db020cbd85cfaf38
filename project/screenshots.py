"""Pictures of the admin for the documentation: ``python -m project.screenshots [NAME ...]`` writes ``docs/images``.

A database of its own gets the example's SQL files, one that fails, some that wait, and a change by hand. Needs Chromium
and its driver, as the browser tests do.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import django
from django.core.management import call_command
from django.db import connection
from django.test.utils import override_settings

from benchmarks.inside import new_database
from project.env import BASE_DIR

if TYPE_CHECKING:
    from selenium import webdriver

IMAGES = BASE_DIR / "docs" / "images"
RECORDS = "/admin/sqlmigrations/migrationrecord/"
EVENTS = "/admin/sqlmigrations/migrationevent/"

#: Width of a picture and the most of its height, in pixels.
WIDTH = 1280
HEIGHT = 1500

#: Files that the example doesn't have: one that fails, and those that wait.
FILES = {
    "029_index_party_loot.sql": "-- The loot is looked up by its owner.\n"
    "ALTER TABLE characters ADD COLUMN gold bigint NOT NULL DEFAULT 0;\n\n"
    "CREATE INDEX party_loot_owner_idx\n    ON party_loots (owner_id);\n",
    "030_limit_gold.sql": "ALTER TABLE characters ADD CONSTRAINT gold_is_owned CHECK (gold >= 0);\n",
    "031_add_house_rules.sql": "CREATE TABLE house_rules (\n    campaign_id uuid REFERENCES campaigns (id),\n"
    "    rule text NOT NULL\n);\n",
    "032_add_campaign_banner.sql": "ALTER TABLE campaigns ADD COLUMN banner_url text;\n",
}


def main() -> None:
    """Make the database, open each page, and write its pictures."""
    parser = argparse.ArgumentParser(prog="python -m project.screenshots", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="take only these")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()
    with (
        tempfile.TemporaryDirectory() as scratch,
        override_settings(**_settings(Path(scratch, "sql"))),
        new_database("tabletop"),
    ):
        prepare(Path(scratch, "sql"))
        with served() as url, browser(Path(scratch, "profile"), url) as driver:
            for name, address in pages().items():
                for theme, suffix in (("light", ""), ("dark", "-dark")):
                    if not options.names or name in options.names:
                        take(driver, url + address, IMAGES / f"admin-{name}{suffix}.png", theme)


def _settings(folder: Path) -> dict[str, object]:
    # Needs Django to be set up.
    from sqlmigrations.service.health import known_for

    # The pictures are of a schema, not of the server that happens to be here.
    of_servers = [id for id, check in known_for("default").items() if check.tags & {"settings", "sessions"}]
    return {
        "SQLMIGRATIONS_HEALTH": {"disabled": of_servers},
        "SQLMIGRATIONS_DIRS": [folder],
        "SQLMIGRATIONS_ADMIN_ACTIONS": True,
        "SQLMIGRATIONS_REVISION": "8b2bcb9",
        "SQLMIGRATIONS_PRODUCTION": False,
        "DEBUG": False,
        "ALLOWED_HOSTS": ["localhost"],
        "SESSION_COOKIE_SECURE": False,
        "CSRF_COOKIE_SECURE": False,
        "LOGGING_CONFIG": None,
    }


def run(*command: str) -> None:
    """Run one of our commands, whatever it finds, without its words."""
    with suppress(SystemExit):
        call_command(*command, stdout=io.StringIO(), stderr=io.StringIO())


def prepare(folder: Path) -> None:
    """Fill the database: apply files, let one fail, change something by hand, keep reports."""
    # Needs Django to be set up.
    from django.contrib.auth.models import User

    shutil.copytree(BASE_DIR / "migrations_sql", folder)
    call_command("migrate", verbosity=0)
    User.objects.create_superuser("ada")
    run("applysql", "--to", "014_add_campaign_overview.sql")
    run("validateschema", "--ddl-log", "install")
    run("applysql")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    run("applysql", "029_index_party_loot.sql")
    changed = folder / "011_add_dice_rolls.sql"
    changed.write_text(changed.read_text().replace("smallint", "integer"))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE users ADD COLUMN last_seen_at timestamptz")
        cursor.execute("CREATE INDEX quests_tmp_idx ON quests (id, title)")
    run("validateschema", "--keep")


def pages() -> dict[str, str]:
    """Return the addresses of the pages by name."""
    # Needs Django to be set up.
    from sqlmigrations.models import MigrationEvent, MigrationRecord

    def record(name: str) -> int:
        return int(MigrationRecord.objects.get(filename=name).pk)

    applied = MigrationEvent.objects.filter(type="applied").order_by("-id").values_list("pk", flat=True)[3]
    return {
        "overview": f"{RECORDS}overview/",
        "drift": f"{RECORDS}drift/",
        "health": f"{RECORDS}health/",
        "versions": f"{RECORDS}versions/",
        "list": RECORDS,
        "failed": f"{RECORDS}{record('029_index_party_loot.sql')}/change/",
        "detail": f"{RECORDS}{record('011_add_dice_rolls.sql')}/change/",
        "events": EVENTS,
        "event": f"{EVENTS}{applied}/change/",
        "confirm": f"{RECORDS}act/revert/?name=028_replace_username_with_email.sql",
        "progress": f"{RECORDS}progress/{_progress()}/",
    }


def _progress() -> uuid.UUID:
    """Ask for a file to be tried again and do it; return the token."""
    # Needs Django to be set up.
    from dataclasses import replace

    from sqlmigrations.service.actions import Action, Asked, foresee, submit

    token, asked = uuid.uuid4(), Asked(Action.RETRY, names=("031_add_house_rules.sql",), user="ada")
    submit(replace(asked, fingerprint=foresee(asked).fingerprint), token)
    run("performaction", str(token))
    run("dbhealth", "--keep")
    return token


# The browser


@contextmanager
def served() -> Iterator[str]:
    """Serve the admin for the block; yield the address."""
    # Needs Django to be set up.
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.test.testcases import LiveServerThread

    server = LiveServerThread("localhost", StaticFilesHandler)
    server.start()
    server.is_ready.wait()
    try:
        yield f"http://localhost:{server.port}"
    finally:
        server.terminate()


@contextmanager
def browser(profile: Path, url: str) -> Iterator[webdriver.Chrome]:
    """Start Chromium, signed in, for the block."""
    # Needs Django to be set up, and what only developers install.
    from django.contrib.auth.models import User
    from django.test import Client
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    client = Client()
    client.force_login(User.objects.get(username="ada"))
    options = webdriver.ChromeOptions()
    for argument in ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.binary_location = str(shutil.which("chromium"))
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        driver.get(f"{url}/static/admin/css/base.css")
        driver.add_cookie({"name": "sessionid", "value": client.cookies["sessionid"].value})
        yield driver
    finally:
        driver.quit()


def take(driver: webdriver.Chrome, address: str, path: Path, theme: str) -> None:
    """Write the picture of a page in a theme: all of it, or its beginning."""
    media = [{"name": "prefers-color-scheme", "value": theme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
    size = {"width": WIDTH, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.get(address)
    script = "return document.querySelector('#content').getBoundingClientRect().bottom + window.scrollY + 20"
    height = min(int(driver.execute_script(script)), HEIGHT)
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {**size, "height": height})
    clip = {"x": 0, "y": 0, "width": WIDTH, "height": height, "scale": 1}
    taken = driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "clip": clip})
    path.write_bytes(base64.b64decode(taken["data"]))


if __name__ == "__main__":
    main()
