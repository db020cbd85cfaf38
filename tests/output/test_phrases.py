"""What services say in English reaches pages in their language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.utils import translation

from sqlmigrations import plan
from sqlmigrations.output.phrases import SENTENCES, TITLES, TOPICS, phrase
from sqlmigrations.service.health import known_for


def test_every_checks_title_and_topics_are_known() -> None:
    checks = known_for("default").values()

    assert {check.title for check in checks} == set(TITLES)
    assert {tag for check in checks for tag in check.tags} - {"before"} == set(TOPICS)


def test_every_phrase_is_translated() -> None:
    with translation.override("de"):
        same = [text for text in (*TITLES, *TOPICS, *SENTENCES) if translation.gettext(text) == text]

    assert same == []


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("", ""),
        ("failed before", "schlug zuvor fehl"),
        ("requires 001_a.sql, which is not applied", "braucht 001_a.sql, das nicht angewendet ist"),
        ("resumes after statement 3 of 5", "geht nach Anweisung 3 von 5 weiter"),
        ("held: requires 001_a.sql, which is not applied", "gehalten: braucht 001_a.sql, das nicht angewendet ist"),
        ("100 % are unknown", "100 % are unknown"),
        ("failed: 50 % (or more)", "fehlgeschlagen: 50 % (or more)"),
    ],
)
def test_sentences_are_translated_with_what_stands_in_them(english: str, german: str) -> None:
    assert phrase(english) == english
    with translation.override("de"):
        assert phrase(english) == german


def test_every_reason_of_a_plan_is_known() -> None:
    source = Path(plan.__file__).read_text(encoding="utf-8")
    reasons = re.findall(r'reason=f?"([^"{]{8,})', source)
    known = [sentence.partition("%(")[0] for sentence in SENTENCES]

    assert len(reasons) > 10
    assert [reason for reason in reasons if not any(start and reason.startswith(start) for start in known)] == []
