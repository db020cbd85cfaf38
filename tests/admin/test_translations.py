from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client
from pytest_django.asserts import assertInHTML

from tests.admin.catalogue import PACKAGE, SOURCE, read_compiled
from tests.admin.pages import RECORDS
from tests.admin.rows import add_event, add_failed


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="GNU gettext is not installed")
def test_the_german_catalogue_is_complete_and_compiled(tmp_path: Path) -> None:
    copy = tmp_path / "sqlmigrations"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    environment = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    given = ["--locale", "de", "--no-obsolete", "--add-location", "file", "--verbosity", "0"]
    command = [sys.executable, "-m", "django", "makemessages", *given]

    subprocess.run(command, cwd=copy, env=environment, check=True)

    extracted = copy / SOURCE
    compiled = tmp_path / "django.mo"
    checked = subprocess.run(
        ["msgfmt", "--check", "--statistics", "--output-file", compiled, extracted],
        capture_output=True,
        check=True,
        text=True,
        env={**environment, "LC_ALL": "C"},
    )
    # Nothing untranslated, nothing fuzzy; and what is shipped is what was compiled from the texts of today.
    assert re.fullmatch(r"\d+ translated messages\.\n", checked.stderr), checked.stderr
    assert read_compiled() == read_compiled(compiled)


@pytest.mark.django_db
def test_lists_and_pages_speak_german(admin_client: Client) -> None:
    pk = add_failed(execution_time_ms=3449)
    add_event(type="failed", filename="002_add_indexes.sql", duration_ms=3449, revision="8b2bcb9")
    german = {"accept-language": "de"}

    overview = admin_client.get(RECORDS, headers=german).content.decode()
    detail = admin_client.get(f"{RECORDS}{pk}/change/", headers=german).content.decode()

    cross = (
        '<span class="sqlm-badge sqlm-badge--failed"><svg class="sqlm-shape" viewBox="0 0 16 16" width="12" '
        'height="12" aria-hidden="true" focusable="false"><path d="M4 4 12 12M12 4 4 12"/></svg>fehlgeschlagen</span>'
    )
    assertInHTML("<h1>SQL-Migrationen</h1>", overview)
    assertInHTML(
        f"""
        <td class="field-status">{cross}<div class="sqlm-below">relation "userz" does not exist</div></td>
        <td class="field-kind">versioniert</td>
        <td class="field-executed"><span class="sqlm-quiet">versucht am
          <span class="sqlm-whole">21. November 2026</span> <span class="sqlm-whole">13:00</span></span></td>
        <td class="field-took">3,4 s</td>
        """,
        overview,
    )
    assertInHTML(
        """
        <nav class="sqlm-jump" aria-label="Auf dieser Seite"><ul>
        <li><a href="#outcome">Ergebnis</a></li>
        <li><a href="#error">Fehler</a></li>
        <li><a href="#sql">SQL</a></li>
        <li><a href="#timeline">Verlauf</a></li>
        </ul></nav>
        """,
        detail,
    )
    assertInHTML(
        f"""
        <ol class="sqlm-timeline"><li>
        <p class="sqlm-happening">{cross}
        <time datetime="2026-11-21T13:00:05+01:00">21. November 2026, 13:00:05 CET</time>
        <span class="sqlm-took">3,4 s</span></p>
        <p class="sqlm-quiet">deploy · ci@build-7 · Revision <code class="sqlm-hash">8b2bcb9</code></p>
        </li></ol>
        """,
        detail,
    )
