"""What services say in English reaches pages in their language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

from sqlmigrations import plan
from sqlmigrations.messages import counted
from sqlmigrations.messages import gettext as _
from sqlmigrations.output.phrases import ATTRIBUTES, KINDS, TOPICS, phrase, said
from sqlmigrations.service.health import known_for


def test_every_checks_topics_are_known() -> None:
    checks = known_for("default").values()

    assert {tag for check in checks for tag in check.tags} - {"before"} == set(TOPICS)


def test_every_checks_title_is_translated() -> None:
    titles = [check.title for check in known_for("default").values()]

    with translation.override("de"):
        assert [title for title in titles if said(title) == title] == []


#: What findings, fixes and skipped checks say; of a call by its name, the arguments by position that say something.
SAID = {"observed", "threshold", "note", "left_out", "reason", "remedy"}
SAID_AT = {"Skip": (0, 1), "Fix": (2,), "_skipped": (1, 2)}


def _calls(folder: str) -> Iterator[tuple[str, ast.Call]]:
    """Yield the calls in the modules of a room, each with the name of what it calls."""
    for path in sorted((Path(plan.__file__).parent / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
                yield node.func.id if isinstance(node.func, ast.Name) else node.func.attr, node


def _is_plain_english(node: ast.expr) -> bool:
    """Tell whether an expression is a text with words in it that nobody can translate."""
    match node:
        case ast.IfExp():
            return _is_plain_english(node.body) or _is_plain_english(node.orelse)
        case ast.JoinedStr():
            return any(_is_plain_english(part) for part in node.values)
        case ast.Constant(value=str(text)):
            is_sql = re.match("[A-Z]{4}", text) is not None
            return " " in text.strip() and re.search("[a-z]{2}", text) is not None and not is_sql
    return False


def test_what_checks_say_can_be_said_in_another_language() -> None:
    found = [
        ast.unparse(said)
        for name, call in _calls("health")
        for said in [
            *(keyword.value for keyword in call.keywords if keyword.arg in SAID),
            *(call.args[place] for place in SAID_AT.get(name, ()) if place < len(call.args)),
        ]
        if _is_plain_english(said)
    ]

    assert found == []


def test_what_is_counted_is_translated() -> None:
    nouns = {
        str(call.args[1].value)
        for name, call in _calls("health")
        if name == "counted" and isinstance(call.args[1], ast.Constant)
    }

    assert len(nouns) > 20
    with translation.override("de"):
        assert [noun for noun in nouns if said(counted(1, noun)) == counted(1, noun)] == []


def test_every_word_is_translated() -> None:
    alike = {"index", "schema", "server", "tablespace", "trigger", "text"}  # but for the capital letter

    with translation.override("de"):
        same = {word for word in (*TOPICS, *KINDS, *ATTRIBUTES) if phrase(word).lower() == word}

    assert same == alike


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("", ""),
        ("indexes", "Indexe"),
        (_("failed before"), "schlug zuvor fehl"),
        (
            _("held: {reason}", reason=_("requires {name}, which is not applied", name="001_a.sql")),
            "gehalten: braucht 001_a.sql, das nicht angewendet ist",
        ),
        (_("{state}: {message}", state=_("failed"), message="50 % (or more)"), "fehlgeschlagen: 50 % (or more)"),
        ("100 % are unknown", "100 % are unknown"),
    ],
)
def test_words_and_messages_are_translated(english: str, german: str) -> None:
    assert phrase(english) == english
    with translation.override("de"):
        assert phrase(english) == german


def test_every_reason_of_a_plan_is_a_message() -> None:
    tree = ast.parse(Path(plan.__file__).read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    reasons = [keyword.value for call in calls for keyword in call.keywords if keyword.arg == "reason"]

    assert len(reasons) > 10
    assert [ast.unparse(reason) for reason in reasons if _is_plain_english(reason)] == []
