"""Tests that what the page about logs, traces, notifications and metrics shows is such."""

from __future__ import annotations

import ast
import re
from typing import Any

import pytest
import yaml

from sqlmigrations import signals
from sqlmigrations.output import prometheus
from tests.docs.pages import DOCS

PAGE = (DOCS / "howto" / "observe.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(RULES,) = re.findall(r'```yaml title="sqlmigrations.rules.yml"\n(.*?)```', PAGE, re.DOTALL)


def test_rules_for_alerts_are_whole() -> None:
    (group,) = yaml.safe_load(RULES)["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    assert len({rule["alert"] for rule in rules}) == len(rules) == 6
    for rule in rules:
        assert {"alert", "expr", "labels", "annotations"} <= rule.keys() <= {*rule, "for"}
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert re.fullmatch(r"\d+[mhd]", rule.get("for", "1m"))
        assert rule["annotations"]["summary"]


def test_rules_ask_for_metrics_that_are_written() -> None:
    written = {f"{prometheus._PREFIX}_{name}" for name in prometheus._HELP}
    asked = set(re.findall(r"\bsqlmigrations_\w+", RULES))
    assert asked <= written
    labels = set(re.findall(r"\$labels\.(\w+)", RULES))
    assert labels <= {"database", "check", "kind"}


def test_notifications_take_what_signals_carry() -> None:
    (example,) = [text for text in PYTHON if "@receiver" in text]
    said: list[str] = []
    names: dict[str, Any] = {}
    without_a_web = re.sub(r"    urllib\.request\.urlopen\(.*", "    said.append(text)", example)
    names["said"] = said
    exec(compile(without_a_web, "observe.md", "exec"), names)  # noqa: S102 - the page's own text
    try:
        names["tell_end"](None, "default", "1234", _Result())
        assert said == ["default: applied 001.sql (run 1234)"]
    finally:
        signals.migration_failed.disconnect(names["tell_failure"])
        signals.run_finished.disconnect(names["tell_end"])


class _File:
    name = "001.sql"
    status = "applied"


class _Result:
    files = (_File,)


@pytest.mark.parametrize("text", PYTHON, ids=lambda text: text.split("\n")[0])
def test_examples_are_python(text: str) -> None:
    ast.parse(text)
