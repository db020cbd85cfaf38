"""What tests of ``dbhealth`` share: a schema that is ill, the command, its document."""

from __future__ import annotations

import json
from typing import Any

import jsonschema

from project.env import BASE_DIR
from tests.helpers import Ran, manage_word_for_word

ILL = """
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, p_id int REFERENCES parent);
CREATE TABLE log (at timestamptz);
"""

#: Arguments that ask two of the checks that find something there.
TWO = ("--only", "fk_without_index", "--only", "no_primary_key")


def dbhealth(*arguments: str) -> Ran:
    """Run ``manage.py dbhealth`` and return its whole answer, word for word."""
    return manage_word_for_word("dbhealth", *arguments)


def document(*arguments: str) -> dict[str, Any]:
    """Return the JSON document of an answer, which keeps its schema."""
    found: dict[str, Any] = json.loads(dbhealth("--format", "json", *arguments).out)
    path = BASE_DIR / "docs" / "reference" / "dbhealth.schema.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(found, schema)
    return found
