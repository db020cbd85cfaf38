from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.utils.html import strip_tags

from sqlmigrations.models import MigrationEvent, MigrationRecord
from sqlmigrations.output.record_page import Failure, Made, happening, page_of, timings_of
from tests.admin.rows import EVENT, FAILED, RECORD

SQL = "CREATE TABLE a ();\nCREATE TABLE b ();\nCREATE TABLE c ();\n"


def record(**values: Any) -> MigrationRecord:
    return MigrationRecord(**{**RECORD, "applied_sql": SQL, **values})


def failed_record(**values: Any) -> MigrationRecord:
    return record(**{**FAILED, **values})


def event(**values: Any) -> MigrationEvent:
    return MigrationEvent(**{**EVENT, **values})


def failed_event(**values: Any) -> MigrationEvent:
    return event(**{"type": "failed", "filename": "002_add_indexes.sql", **values})


def test_an_applied_file_shows_its_text_and_no_error() -> None:
    page = page_of(record(), [event()], None)

    assert page.failure is None
    assert page.applied is not None
    assert (page.applied.name, page.applied.size, page.applied.is_marked) == ("applied", len(SQL), False)
    assert page.applied.anchor_of(3) == "L3"
    assert page.applied.anchor_of(4) == ""
    assert page.applied.anchor_of(None) == ""


def test_down_and_verify_scripts_have_anchors_of_their_own() -> None:
    page = page_of(record(down_sql="DROP TABLE a;", verify_sql="SELECT true;"), [], None)

    assert [(other.name, other.title, other.anchor_of(1)) for other in page.others] == [
        ("down", "Down script", "D1"),
        ("verify", "Verify script", "V1"),
    ]
    assert 'id="D1"' in page.others[0].html
    assert 'id="V1"' in page.others[1].html


def test_a_file_that_never_was_applied_shows_the_statement_that_failed() -> None:
    details = {
        "message": 'relation "userz" does not exist',
        "detail": "a detail",
        "hint": "a hint",
        "advice": "some advice",
        "statement": "CREATE INDEX\nON userz (id)",
        "statement_line": 2,
    }
    page = page_of(failed_record(error_line=3), [event(type="started"), failed_event(details=details)], None)

    assert page.applied is None
    assert page.failure is not None
    assert page.failure.statement is not None
    assert strip_tags(page.failure.statement) == (
        "CREATE INDEX\nON userz (id)\nError: relation &quot;userz&quot; does not exist\n"
    )
    assert '<span class="sqlm-line sqlm-line--error" id="E3">' in page.failure.statement
    assert replace(page.failure, statement=None) == Failure(
        message='relation "userz" does not exist',
        sqlstate="42P01",
        file="002_add_indexes.sql",
        line=3,
        anchor="E3",
        detail="a detail",
        hint="a hint",
        advice="some advice",
        statement=None,
    )


def test_a_statement_whose_line_is_unknown_has_no_numbers() -> None:
    page = page_of(failed_record(), [failed_event(details={"statement": "SELECT x"})], None)

    assert page.failure is not None
    assert page.failure.anchor == ""
    assert 'id="' not in str(page.failure.statement)


def test_no_link_leads_to_a_line_beyond_the_statement_that_is_kept() -> None:
    details = {"statement": "SELECT x", "statement_line": 2}

    page = page_of(failed_record(error_line=3), [failed_event(details=details)], None)

    assert page.failure is not None
    assert page.failure.anchor == ""


def test_an_error_without_its_event_still_is_told() -> None:
    page = page_of(failed_record(error_message="gone\nHINT: look", error_line=None), [], None)

    assert page.failure == Failure("gone\nHINT: look", "42P01", "002_add_indexes.sql", None, "", "", "", "", None)


@pytest.mark.parametrize(
    ("values", "failed", "marked"),
    [
        pytest.param({"state": "partial"}, {"type": "stopped"}, "applied", id="stopped half-way"),
        pytest.param({}, {"details": {"file": "002_add_indexes.verify.sql"}}, "verify", id="in the verify script"),
        pytest.param({}, {"type": "revert_failed"}, "down", id="while reverting"),
        pytest.param(
            {"executed_at": RECORD["executed_at"], "checksum": "v1:a"},
            {"checksum": "v1:a"},
            "applied",
            id="the same text failed after it had been applied",
        ),
        pytest.param(
            {"executed_at": RECORD["executed_at"], "checksum": "v1:a"},
            {"checksum": "v1:b"},
            "",
            id="another text failed",
        ),
        pytest.param(
            {"executed_at": RECORD["executed_at"], "checksum": "v1:a"}, {}, "", id="which text failed is unknown"
        ),
    ],
)
def test_the_error_is_marked_in_the_text_that_failed(values: Any, failed: Any, marked: str) -> None:
    texts = {"applied_sql": SQL, "down_sql": SQL, "verify_sql": SQL}
    page = page_of(failed_record(**texts, **values), [failed_event(**failed)], None)
    listings = [listing for listing in [page.applied, *page.others] if listing]

    assert [listing.name for listing in listings if listing.is_marked] == ([marked] if marked else [])
    assert page.failure is not None
    assert page.failure.anchor == {"applied": "L3", "down": "D3", "verify": "V3", "": ""}[marked]
    assert page.holds_other_text is (marked == "")


def test_objects_link_to_the_lines_that_made_them() -> None:
    made = [{"kind": "table", "name": "public.a", "line": 1}, {"kind": "view", "name": "v", "line": 99}, {}]

    assert page_of(record(objects_made=made), [], None).objects == [
        Made("table", "public.a", 1, "L1"),
        Made("view", "v", 99, ""),
        Made("", "", None, ""),
    ]


def test_times_come_with_the_statements_first_lines() -> None:
    timings = [{"number": 1, "line": 1, "duration_ms": 2.0}, {"number": 2, "line": 99, "duration_ms": 1.0}]
    page = page_of(record(applied_sql="CREATE " + "x" * 200), [], event(timings=timings))

    assert [(timing.duration, timing.anchor, len(timing.text)) for timing in page.timings] == [
        ("2.0 ms", "L1", 80),
        ("1.0 ms", "", 0),
    ]
    assert page.statements == 2


def test_times_of_an_event_alone_have_no_links() -> None:
    (timing,) = timings_of([{"number": 1, "line": 7, "duration_ms": 2.0}])

    assert (timing.bar.line, timing.anchor, timing.text) == (7, "", "")


@pytest.mark.parametrize(
    ("details", "message"),
    [({}, ""), ({"message": "a"}, "a"), ({"reason": "b"}, "b"), ({"message": "a", "reason": "b"}, "a")],
)
def test_an_events_message_is_its_error_or_its_reason(details: dict[str, str], message: str) -> None:
    assert event(details=details).message == message


def test_an_event_without_a_duration_shows_none() -> None:
    assert happening(event(duration_ms=None)).duration == ""
    assert happening(event(duration_ms=1500)).duration == "1.5 s"
