from __future__ import annotations

from sqlmigrations.health.base import Severity as HealthSeverity
from sqlmigrations.health.base import Status as HealthStatus
from sqlmigrations.models import EventType, State
from sqlmigrations.output.badges import SHAPES, badge
from sqlmigrations.plan import Status
from sqlmigrations.severity import Severity


def test_every_state_event_status_and_severity_has_a_shape() -> None:
    statuses = {*map(str, Status), *map(str, HealthStatus)}
    severities = {*map(str, Severity), *map(str, HealthSeverity)}

    assert set(SHAPES) == {*State.values, *EventType.values, *statuses, *severities}


def test_states_differ_by_their_shapes_alone() -> None:
    assert len({SHAPES[state] for state in State.values}) == len(State.values)


def test_a_badge_is_a_word_and_a_shape() -> None:
    assert badge("failed", "failed & <gone>") == (
        '<span class="sqlm-badge sqlm-badge--failed"><svg class="sqlm-shape" viewBox="0 0 16 16" width="12" '
        'height="12" aria-hidden="true" focusable="false"><path d="M4 4 12 12M12 4 4 12"/></svg>'
        "failed &amp; &lt;gone&gt;</span>"
    )


def test_an_unknown_value_still_gets_a_badge() -> None:
    assert "sqlm-badge--new" in badge("new", "new")
