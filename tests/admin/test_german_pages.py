"""Pages in German: what linter, checks and validations say is German too, and nothing of it is left in English."""

from __future__ import annotations

import re
from html import unescape
from io import StringIO
from pathlib import Path
from urllib.parse import urljoin

import pytest
from django.core.management import call_command
from django.test import Client

from sqlmigrations.models import MigrationEvent, MigrationRecord
from tests.admin.catalogue import read_compiled
from tests.helpers import applysql, put, run_sql

PAGES = "/admin/sqlmigrations/migrationrecord/"

#: Of a template, what stands between two gaps; shorter parts are English and German alike, or part of a name.
LONG = 12


def page(client: Client, name: str, **query: str) -> str:
    """Return the text of a page in German on one line."""
    response = client.get(urljoin(PAGES, f"{name}/"), query, headers={"accept-language": "de"})
    assert response.status_code == 200
    content = response.content.decode().partition('id="content-main"')[2].partition(">")[2]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", content)).split())


def english_in(text: str) -> list[str]:
    """Return the parts of English templates that are in a text and in no German one."""
    catalogue = read_compiled()
    german = " ".join(catalogue.values())
    english = [key if isinstance(key, str) else key[0] for key in catalogue]
    parts = {part.strip() for template in english for part in re.split(r"%\(\w+\)s|\{[^}]*\}", template)}
    return sorted(part for part in parts if len(part) >= LONG and part in text and part not in german)


@pytest.mark.django_db
def test_the_overview_says_in_german_what_the_linter_finds(admin_client: Client, folder: Path) -> None:
    put(
        folder,
        {
            "001_a.sql": "ALTER TABLE auth_user ADD COLUMN a int NOT NULL;\nALTER TABLE auth_user ADD COLUMN b serial;",
            "002_b.sql": "DO $$ BEGIN UPDATE auth_user SET username = ''; END $$;",
            "003_c.sql": "DROP INDEX auth_user_pkey;",
        },
    )

    text = page(admin_client, "overview")

    assert english_in(text) == []
    for said in (
        "Fehler Zeile 1: Das scheitert, wenn auth_user eine Zeile hat; sonst scheitert jedes INSERT, das a nicht "
        "nennt.",
        "Warnung Zeile 2: Jede Zeile von auth_user bekommt jetzt ihre Nummer: Die Tabelle wird ganz neu geschrieben "
        "und kann währenddessen nicht gelesen werden.",
        "Warnung Zeile 1: In einem DO-Block: Jede Zeile von auth_user ist gesperrt, bis die Datei endet, und wird noch "
        "einmal geschrieben.",
        "Warnung Zeile 1: Die Tabelle von auth_user_pkey kann weder gelesen noch beschrieben werden, während das auf "
        "seine Sperre wartet.",
    ):
        assert said in text


#: Tables with faults that health checks find right after a migration.
FAULTY = """
CREATE TABLE shelf (id int PRIMARY KEY, name text);
CREATE TABLE book (shelf_id int REFERENCES shelf, title text);
CREATE UNIQUE INDEX shelf_name ON shelf (name);
CREATE UNIQUE INDEX shelf_name_again ON shelf (name);
CREATE SEQUENCE few AS smallint MAXVALUE 10;
SELECT setval('few', 9);
CREATE MATERIALIZED VIEW titles AS SELECT title FROM book WITH NO DATA;
"""


def test_health_is_told_in_german_as_it_was_kept_by_a_command(fresh_client: Client, folder: Path) -> None:
    put(folder, {"001_a.sql": FAULTY})
    applysql()
    call_command("dbhealth", "--keep", "--fail-on", "never", stdout=StringIO())

    text = page(fresh_client, "health")
    overview = page(fresh_client, "overview")
    record = page(fresh_client, "1/change")

    assert [english_in(shown) for shown in (text, overview, record)] == [[], [], []]
    for said in (
        "kritisch public.few von 001_a.sql:6 88.9 % verbraucht, noch 1 Wert soll sein: unter 70 %",
        "Warnung public.book.shelf_id von 001_a.sql:3 kein Index für den Schlüssel zu public.shelf soll sein: ein "
        'Index, den seine Spalten anführen CREATE INDEX CONCURRENTLY ON "public"."book" ("shelf_id"); nimmt '
        "ShareUpdateExclusive, Lesen und Schreiben gehen weiter; kann nicht in einer Transaktion laufen (in einer "
        "SQL-Datei: -- sqlmigrations: transaction off)",
        "Es gibt eine frische Sicherung : niemand sagt, wann zuletzt gesichert wurde",
    ):
        assert said in text
    assert "kritisch public.few 88.9 % verbraucht, noch 1 Wert" in overview
    assert (
        "Tabelle book Zeile 3 Warnung Jede Tabelle hat einen Primärschlüssel : kein Primärschlüssel Warnung Jeder "
        "Fremdschlüssel hat einen Index auf seinen Spalten : kein Index für den Schlüssel zu public.shelf"
    ) in record


def test_an_error_and_what_to_do_about_it_are_told_in_german(fresh_client: Client, folder: Path) -> None:
    put(
        folder,
        {
            "001_a.sql": "CREATE TABLE a (id int);",
            "001_a.verify.sql": "SELECT false AS is_filled;",
            "002_b.sql": "SELECT * FROM nowhere;",
        },
    )
    applysql()
    records = MigrationRecord.objects.order_by("filename")
    refused, failed = (page(fresh_client, f"{record.pk}/change") for record in records)
    happened = MigrationEvent.objects.get(filename="001_a.sql", type="failed")
    event = page(fresh_client, f"../migrationevent/{happened.pk}/change")

    theirs = 'relation "nowhere" does not exist'
    assert [english_in(shown.replace(theirs, "")) for shown in (refused, failed, event)] == [[], [], []]
    message = 'Die Datei lief, aber ihr Prüfskript sagt nein: Spalte "is_filled" der Zeile 1 ist false.'
    advice = "Jeder Boolean, den ein Prüfskript zurückgibt, muss wahr sein. Die Datei wurde zurückgerollt."
    for shown in (refused, event):
        assert message in shown
        assert advice in shown
    assert "Wenn eine andere Datei es anlegt, nennen Sie diese: -- sqlmigrations: requires NAME" in failed


def test_drift_is_told_in_german_and_names_and_values_as_they_are(fresh_client: Client, folder: Path) -> None:
    put(
        folder,
        {
            "001_a.sql": "CREATE TABLE a (id int PRIMARY KEY, note int);",
            "002_b.sql": "CREATE TABLE b (id int PRIMARY KEY);",
            "003_c.sql": "SELECT 1/0;",
            "004_d.sql": "CREATE VIEW c AS SELECT 1 AS one;",
        },
    )
    applysql()
    put(
        folder,
        {
            "002_b.sql": "CREATE TABLE b (id bigint PRIMARY KEY);",
            "005_e.sql": "-- sqlmigrations: requires 003_c.sql\nSELECT 2;",
        },
    )
    run_sql("ALTER TABLE a ALTER COLUMN note TYPE text; DROP VIEW c; CREATE INDEX by_hand ON a (note)")
    with pytest.raises(SystemExit):
        call_command("validateschema", "--keep", stdout=StringIO())
    (folder / "004_d.sql").unlink()

    text, overview, now = (
        page(fresh_client, "drift"),
        page(fresh_client, "overview"),
        page(fresh_client, "drift", now=""),
    )
    run_sql("CREATE TABLE more (id int)")
    call_command("validateschema", "--accept", "--reason", "wanted", stdout=StringIO())
    versions = page(fresh_client, "versions")

    assert [english_in(shown) for shown in (text, overview, now, versions)] == [[], [], [], []]
    for said in (
        "Fehler Datei 002_b.sql Text erwartet wie es angewendet wurde gefunden seither geändert Abhilfe stellen Sie "
        "den Text wieder her und schreiben Sie eine neue Datei, oder: manage.py applysql --repair",
        "Fehler Datei 003_c.sql Zustand erwartet angewendet gefunden fehlgeschlagen: division by zero",
        # The type is called text in any language; the attribute of a file is called otherwise.
        "Fehler Spalte public.a.note Typ erwartet integer gefunden text",
        "Warnung Index public.by_hand Vorhandensein erwartet fehlt gefunden vorhanden",
    ):
        assert said in text
        assert said in now
    assert "Fehler Datei 004_d.sql Vorhandensein: fort, obwohl die Datenbank es enthält" in overview
    assert "Vorhandensein erwartet auf der Platte gefunden fort, obwohl die Datenbank es enthält" in now
    assert "Tabelle public.more Vorhandensein vorher fehlt nachher vorhanden" in versions


@pytest.mark.django_db
def test_what_is_wrong_with_files_is_told_in_german(admin_client: Client, folder: Path) -> None:
    put(
        folder,
        {
            "001_a.sql": "-- sqlmigrations: requires 002_b.sql\nSELECT 1;",
            "002_b.sql": "-- sqlmigrations: retries many\n\nSELECT 'open;",
        },
    )

    text = page(admin_client, "overview")

    assert english_in(text) == []
    assert (
        "002_b.sql:1: die Direktive 'retries' kann nicht 'many' sein Schreiben Sie eine Zahl von 0 bis 1000. "
        "002_b.sql:3: nicht geschlossen: Zeichenkette Schließen Sie mit '."
    ) in text
