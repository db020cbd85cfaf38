from __future__ import annotations

import pytest
from django.test import Client

from tests.admin.pages import RECORDS
from tests.admin.rows import add_record

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("script", "query", "text", "disposition"),
    [
        ("applied", "", "SELECT 'ü';\n", 'inline; filename="003_views.sql"'),
        ("applied", "?download", "SELECT 'ü';\n", 'attachment; filename="003_views.sql"'),
        ("down", "", "DROP VIEW v;\n", 'inline; filename="003_views.down.sql"'),
        ("verify", "?download", "SELECT true;\n", 'attachment; filename="003_views.verify.sql"'),
    ],
)
def test_a_script_is_shown_or_downloaded_whole(
    admin_client: Client, script: str, query: str, text: str, disposition: str
) -> None:
    pk = add_record(
        filename="blog/003_views.sql",
        applied_sql="SELECT 'ü';\n",
        down_sql="DROP VIEW v;\n",
        verify_sql="SELECT true;\n",
    )

    response = admin_client.get(f"{RECORDS}{pk}/sql/{script}/{query}")

    assert (response.status_code, response.content.decode()) == (200, text)
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["Content-Disposition"] == disposition
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_name_beyond_ascii_is_quoted(admin_client: Client) -> None:
    pk = add_record(filename='001_"ü"\n.sql')

    response = admin_client.get(f"{RECORDS}{pk}/sql/applied/")

    assert response.headers["Content-Disposition"] == "inline; filename*=utf-8''001_%22%C3%BC%22%0A.sql"


@pytest.mark.parametrize("address", ["{pk}/sql/down/", "{pk}/sql/checksum/", "{pk}/sql/__class__/", "999/sql/applied/"])
def test_there_is_no_other_script(admin_client: Client, address: str) -> None:
    pk = add_record()

    assert admin_client.get(RECORDS + address.format(pk=pk)).status_code == 404
