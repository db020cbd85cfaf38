"""Texts that are English wherever they go, and know how to be said otherwise."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import translation

from sqlmigrations.messages import Message, joined, kept, ngettext, revived
from sqlmigrations.messages import gettext as _
from sqlmigrations.output.phrases import said

REFUSED = _(
    "PostgreSQL refuses to drop {index}: it backs the {kind} {constraint} of {table}.",
    index="a_key",
    kind=_("unique constraint"),
    constraint="a_key",
    table="a",
)
LOST = joined("; ", [_("All rows of {table} are lost.", table="a"), "off"])


def _rows(count: int) -> Message:
    return ngettext("{count:,} row of {table}", "{count:,} rows of {table}", count, table="a")


@pytest.mark.parametrize(
    ("message", "english"),
    [
        (_("nothing {to} put in"), "nothing {to} put in"),
        (_("{a} and {b:,}", a="{x}", b=1000), "{x} and 1,000"),
        (_("{a:.1f} of {b}", a=Decimal("2.25"), b=None), "2.2 of None"),
        (REFUSED, "PostgreSQL refuses to drop a_key: it backs the unique constraint a_key of a."),
        (LOST, "All rows of a are lost.; off"),
        (joined(", ", []), ""),
        (_rows(1), "1 row of a"),
        (_rows(0), "0 rows of a"),
        (_rows(1000), "1,000 rows of a"),
    ],
)
def test_a_message_is_its_english_text_in_any_language(message: Message, english: str) -> None:
    with translation.override("de"):
        assert message == english
        assert f"{message}" == english
        assert json.dumps([message]) == json.dumps([english])


@pytest.mark.parametrize(
    ("message", "german"),
    [
        (
            REFUSED,
            "PostgreSQL weigert sich, a_key zu löschen: Darauf beruht Eindeutigkeitsbedingung a_key von a.",
        ),
        # What is no message is nobody's business but its own: here it may be a name.
        (LOST, "Alle Zeilen von a sind verloren.; off"),
        (_("off"), "aus"),
        ("off", "off"),
        (_("nobody has translated {this}", this=_("off")), "nobody has translated aus"),
    ],
)
def test_a_message_is_said_in_the_pages_language_and_so_is_what_stands_in_it(message: str, german: str) -> None:
    assert said(message) == message
    with translation.override("de"):
        assert said(message) == german


@pytest.mark.parametrize("message", [REFUSED, LOST, _rows(2), _("off")])
def test_a_copy_can_be_said_as_well(message: Message) -> None:
    cache.set("message", message)

    for made in (copy.deepcopy(message), cache.get("message")):
        assert (made, made.template, made.plural, made.values) == (
            message,
            message.template,
            message.plural,
            message.values,
        )


DOCUMENT: dict[str, Any] = {
    "status": "warning",
    "reason": _("off"),
    "findings": [{"object": "off", "observed": REFUSED, "rows": _rows(2)}, {"object": "b", "observed": "plain"}],
}


def test_a_kept_document_says_beside_its_texts_how_to_say_them_otherwise() -> None:
    assert json.loads(json.dumps(kept(DOCUMENT))) == {
        "status": "warning",
        "reason": "off",
        "messages": {"reason": {"template": "off"}},
        "findings": [
            {
                "object": "off",
                "observed": "PostgreSQL refuses to drop a_key: it backs the unique constraint a_key of a.",
                "rows": "2 rows of a",
                "messages": {
                    "observed": {
                        "template": "PostgreSQL refuses to drop {index}: it backs the {kind} {constraint} of {table}.",
                        "values": {
                            "index": "a_key",
                            "kind": {"template": "unique constraint"},
                            "constraint": "a_key",
                            "table": "a",
                        },
                    },
                    "rows": {
                        "template": "{count:,} row of {table}",
                        "plural": "{count:,} rows of {table}",
                        "values": {"count": 2, "table": "a"},
                    },
                },
            },
            {"object": "b", "observed": "plain"},
        ],
    }


def test_a_kept_document_comes_back_as_it_was() -> None:
    found = revived(json.loads(json.dumps(kept(DOCUMENT))))

    assert found == DOCUMENT
    with translation.override("de"):
        assert said(found["findings"][0]["observed"]) == said(REFUSED) != REFUSED
        assert (said(found["reason"]), said(found["findings"][0]["object"])) == ("aus", "off")


@pytest.mark.parametrize(
    "altered",
    [
        7,
        {"text": 7},
        {"text": {}},
        {"text": {"template": 7}},
        {"text": {"template": "{table"}},
        {"text": {"template": "{table}", "values": {}}},
        {"text": {"template": "{table.name}", "values": {"table": "a"}}},
        {"text": {"template": "{count}", "plural": "{count}", "values": []}},
        {"other": {"template": "x"}},
    ],
)
def test_where_somebody_has_altered_how_to_say_it_the_text_stays(altered: object) -> None:
    assert revived({"text": "as it was", "messages": altered}) == {"text": "as it was"}
