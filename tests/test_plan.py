"""The plan: what a run would do with each file, and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sqlmigrations.files.checksum import Change
from sqlmigrations.files.discovery import Folder, discover
from sqlmigrations.files.graph import arrange
from sqlmigrations.files.kinds import Kind
from sqlmigrations.files.scripts import SQLFile
from sqlmigrations.history import Record
from sqlmigrations.models import State
from sqlmigrations.plan import LatePolicy, Plan, Selection, Status, make_plan
from sqlmigrations.walk import Walk, preview
from tests.helpers import put

WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def on_disk(folder: Path, texts: Mapping[str, str]) -> list[SQLFile]:
    """Write files and return them in the order of a run."""
    put(folder, texts)
    found = discover([Folder(folder)])
    assert found.errors == ()
    return list(arrange(found.files))


def record(name: str, state: State = State.APPLIED, **changed: Any) -> Record:
    held = state in (State.APPLIED, State.BASELINED)
    values: dict[str, Any] = {
        "filename": name,
        "kind": Kind.REPEATABLE if "repeatable/" in name else Kind.SEED if "seed/" in name else Kind.VERSIONED,
        "state": state,
        "checksum": "v1:0" if held else "",
        "executed_at": WHEN if held else None,
        "attempted_at": WHEN,
        "execution_time_ms": 1.0,
        "error_message": "",
        "error_sqlstate": "",
        "error_line": None,
        "statements_done": 0,
        "statements_total": None,
        "applied_by": "alice",
        "progress": None,
    }
    return Record(**{**values, **changed})


def words_in_common(one: SQLFile, other: SQLFile) -> str:
    """Two files overlap in the first word that both texts have: the plan doesn't care how it is found."""
    shared = set(one.path.read_text().split()) & set(other.path.read_text().split())
    return min(shared, default="")


def plan(
    files: list[SQLFile],
    *records: Record,
    changes: Mapping[str, Change] | None = None,
    selection: Selection | None = None,
    reverted_with: Mapping[str, Sequence[str]] | None = None,
) -> Plan:
    return make_plan(
        files,
        {each.filename: each for each in records},
        changes=changes or {},
        selection=selection or Selection(),
        overlap=words_in_common,
        reverted_with=reverted_with,
    )


def told(plan: Plan) -> list[tuple[str, str, bool, str]]:
    return [(step.name, str(step.status), step.runs, step.reason) for step in plan]


THREE = {"001_a.sql": "a", "002_b.sql": "b", "003_c.sql": "c"}


def test_without_a_history_all_but_seeds_run_in_order(tmp_path: Path) -> None:
    files = on_disk(tmp_path, {"repeatable/v.sql": "v", "seed/s.sql": "s", **THREE})
    assert told(plan(files)) == [
        ("001_a.sql", "pending", True, ""),
        ("002_b.sql", "pending", True, ""),
        ("003_c.sql", "pending", True, ""),
        ("repeatable/v.sql", "pending", True, ""),
        ("seed/s.sql", "skipped", False, "a seed runs only when asked for: --seed"),
    ]
    assert [step.name for step in plan(files).runnable] == [
        "001_a.sql",
        "002_b.sql",
        "003_c.sql",
        "repeatable/v.sql",
    ]


@pytest.mark.parametrize(
    ("known", "change", "expected"),
    [
        (record("001_a.sql"), Change.NONE, ("applied", False, "")),
        (record("001_a.sql"), Change.COSMETIC, ("applied", False, "comments or layout changed since")),
        (record("001_a.sql"), Change.CHANGED, ("changed", False, "its text changed after it was applied")),
        (record("001_a.sql", State.BASELINED), Change.NONE, ("baselined", False, "")),
        (record("001_a.sql", State.FAILED), Change.NONE, ("failed", True, "failed before")),
        (record("001_a.sql", State.FAILED), Change.CHANGED, ("failed", True, "failed before")),
        (
            record("001_a.sql", State.FAILED, progress={"prefix": "", "intent": None}),
            Change.NONE,
            ("failed", True, "only its verify script is left to run"),
        ),
        (
            record("001_a.sql", State.IN_DOUBT, error_message="Nobody saw its end.\nDETAIL: x"),
            Change.NONE,
            ("in_doubt", False, "Nobody saw its end."),
        ),
        (record("001_a.sql", State.REVERTED), Change.NONE, ("reverted", False, "was reverted; name it to apply it")),
        (record("001_a.sql", State.REVERTED), Change.CHANGED, ("reverted", True, "was reverted")),
    ],
)
def test_a_versioned_file_by_its_record(
    tmp_path: Path, known: Record, change: Change, expected: tuple[str, bool, str]
) -> None:
    (step,) = plan(on_disk(tmp_path, {"001_a.sql": "a"}), known, changes={"001_a.sql": change})
    assert (str(step.status), step.runs, step.reason) == expected


OFF = "-- sqlmigrations: transaction off\na"


@pytest.mark.parametrize(
    ("text", "known", "expected"),
    [
        (OFF, {"statements_total": 5}, (True, "resumes after statement 2 of 5")),
        (OFF, {}, (True, "resumes after statement 2")),
        ("a", {}, (False, "it stopped half-way outside a transaction, and its `transaction off` is gone")),
        (OFF, {"progress": {"direction": "backwards"}}, (False, "half reverted: revertsql 001_a.sql goes on")),
    ],
)
def test_a_file_that_stopped_half_way(
    tmp_path: Path, text: str, known: Mapping[str, Any], expected: tuple[bool, str]
) -> None:
    partial = record("001_a.sql", State.PARTIAL, **{"statements_done": 2, "progress": {}, **known})
    (step,) = plan(on_disk(tmp_path, {"001_a.sql": text}), partial)
    assert (str(step.status), step.runs, step.reason) == ("partial", *expected)


@pytest.mark.parametrize(
    ("known", "change", "expected"),
    [
        (record("repeatable/v.sql"), Change.NONE, ("applied", False, "")),
        (record("repeatable/v.sql"), Change.COSMETIC, ("pending", True, "its text changed")),
        (record("repeatable/v.sql"), Change.CHANGED, ("pending", True, "its text changed")),
        (record("repeatable/v.sql", State.FAILED), Change.NONE, ("failed", True, "failed before")),
    ],
)
def test_a_repeatable_by_its_record(
    tmp_path: Path, known: Record, change: Change, expected: tuple[str, bool, str]
) -> None:
    (step,) = plan(on_disk(tmp_path, {"repeatable/v.sql": "v"}), known, changes={"repeatable/v.sql": change})
    assert (str(step.status), step.runs, step.reason) == expected


NOT_ASKED = "a seed runs only when asked for: --seed"
UNCHANGED = "has not changed since; --force runs it again"


@pytest.mark.parametrize(
    ("known", "change", "selection", "expected"),
    [
        (None, Change.NONE, Selection(), ("skipped", False, NOT_ASKED)),
        (None, Change.NONE, Selection(seeds=("seed/s.sql",)), ("pending", True, "")),
        (record("seed/s.sql"), Change.NONE, Selection(), ("applied", False, "")),
        (record("seed/s.sql"), Change.CHANGED, Selection(), ("applied", False, "")),
        (record("seed/s.sql"), Change.NONE, Selection(seeds=("seed/s.sql",)), ("applied", False, UNCHANGED)),
        (record("seed/s.sql"), Change.CHANGED, Selection(seeds=("seed/s.sql",)), ("pending", True, "")),
        (record("seed/s.sql"), Change.NONE, Selection(seeds=("seed/s.sql",), force=True), ("pending", True, "")),
        (
            record("seed/s.sql", State.FAILED),
            Change.NONE,
            Selection(seeds=("seed/s.sql",)),
            ("failed", True, "a seed that failed; --seed tries again"),
        ),
    ],
)
def test_a_seed_by_its_record_and_what_was_asked(
    tmp_path: Path, known: Record | None, change: Change, selection: Selection, expected: tuple[str, bool, str]
) -> None:
    files = on_disk(tmp_path, {"seed/s.sql": "s"})
    (step,) = plan(files, *([known] if known else []), changes={"seed/s.sql": change}, selection=selection)
    assert (str(step.status), step.runs, step.reason) == expected


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(names=("002_b.sql",)), ["002_b.sql"]),
        (Selection(names=("003_c.sql", "001_a.sql")), ["001_a.sql", "003_c.sql"]),
        (Selection(to="002_b.sql"), ["001_a.sql", "002_b.sql"]),
        (Selection(to="repeatable/v.sql"), ["001_a.sql", "002_b.sql", "003_c.sql", "repeatable/v.sql"]),
        (Selection(seeds=("seed/s.sql",)), ["seed/s.sql"]),
    ],
)
def test_a_run_takes_just_what_it_was_asked_for(tmp_path: Path, selection: Selection, expected: list[str]) -> None:
    files = on_disk(tmp_path, {**THREE, "repeatable/v.sql": "v", "seed/s.sql": "s"})
    made = plan(files, selection=selection)
    assert [step.name for step in made.runnable] == expected
    left = [step for step in made if not step.runs and step.kind is not Kind.SEED]
    assert {step.reason for step in left} <= {"not asked for"}


def test_a_reverted_file_is_taken_when_it_is_named_or_aimed_at(tmp_path: Path) -> None:
    files, known = on_disk(tmp_path, THREE), record("002_b.sql", State.REVERTED)
    for selection in (Selection(names=("002_b.sql",)), Selection(to="002_b.sql"), Selection(to="003_c.sql")):
        assert "002_b.sql" in [step.name for step in plan(files, known, selection=selection).runnable]


@pytest.mark.parametrize(
    ("states", "selection", "expected"),
    [
        ({}, Selection(), ("pending", True, "was reverted only with what it builds on")),
        (
            {"001_a.sql": State.REVERTED},
            Selection(),
            ("reverted", False, "was reverted with 001_a.sql and comes back behind it"),
        ),
        (
            {"001_a.sql": State.REVERTED, "002_b.sql": State.REVERTED},
            Selection(),
            ("reverted", False, "was reverted with 001_a.sql, 002_b.sql and comes back behind them"),
        ),
        ({"001_a.sql": State.REVERTED}, Selection(names=("001_a.sql",)), ("pending", False, "not asked for")),
        ({"001_a.sql": State.REVERTED}, Selection(names=("repeatable/v.sql",)), ("reverted", True, "was reverted")),
    ],
)
def test_a_repeatable_comes_back_behind_what_it_was_reverted_with(
    tmp_path: Path, states: Mapping[str, State], selection: Selection, expected: tuple[str, bool, str]
) -> None:
    files = on_disk(tmp_path, {"001_a.sql": "a", "002_b.sql": "b", "repeatable/v.sql": "a b"})
    records = [record(name, states.get(name, State.APPLIED)) for name in ("001_a.sql", "002_b.sql")]
    view = record("repeatable/v.sql", State.REVERTED, kind=Kind.REPEATABLE)
    made = plan(
        files, *records, view, selection=selection, reverted_with={"repeatable/v.sql": ["001_a.sql", "002_b.sql"]}
    )
    assert told(made)[-1] == ("repeatable/v.sql", *expected)


# Late files

LATE = {"001_a.sql": "users", "002_b.sql": "posts", "003_c.sql": "users", "004_d.sql": "tags"}
LATE_KNOWN = (record("001_a.sql"), record("003_c.sql"), record("004_d.sql"))


@pytest.mark.parametrize(
    ("text", "policy", "expected"),
    [
        ("posts", LatePolicy.INDEPENDENT, ("pending", True, "late, but independent of the 2 applied after it")),
        (
            "tags",
            LatePolicy.INDEPENDENT,
            ("late", False, "004_d.sql is applied already and touches tags too; --allow-late applies it all the same"),
        ),
        ("tags", LatePolicy.ALLOW, ("pending", True, "late: 004_d.sql is applied already; allowed")),
        (
            "posts",
            LatePolicy.ERROR,
            ("late", False, "004_d.sql is applied already; --allow-late applies it all the same"),
        ),
        (
            "-- sqlmigrations: allow late\ntags",
            LatePolicy.ERROR,
            ("pending", True, "late: 004_d.sql is applied already; allowed"),
        ),
    ],
)
def test_a_late_file_by_policy(tmp_path: Path, text: str, policy: LatePolicy, expected: tuple[str, bool, str]) -> None:
    files = on_disk(tmp_path, {**LATE, "002_b.sql": text})
    step = plan(files, *LATE_KNOWN, selection=Selection(late=policy)).steps[1]
    assert (str(step.status), step.runs, step.reason) == expected


@pytest.mark.parametrize("state", [State.FAILED, State.PARTIAL, State.IN_DOUBT])
def test_a_file_that_was_held_is_not_refused_as_late(tmp_path: Path, state: State) -> None:
    """Others were applied past the one that stopped; what it held meanwhile did not come too late."""
    files = on_disk(tmp_path, {"001_a.sql": "a", "002_b.sql": "a b", "003_c.sql": "c", "004_d.sql": "c d"})
    known = (record("001_a.sql", state), record("003_c.sql"))
    made = plan(files, *known, selection=Selection(late=LatePolicy.ERROR))
    assert told(made)[1] == ("002_b.sql", "pending", True, "late, but independent of the 1 applied after it")
    files = on_disk(tmp_path, {"002_b.sql": "b c"})
    assert plan(files, *known, selection=Selection(late=LatePolicy.ERROR)).steps[1].status is Status.LATE


def test_only_versioned_files_of_the_same_folder_make_a_file_late(tmp_path: Path) -> None:
    put(tmp_path / "project", {"001_a.sql": "users", "repeatable/v.sql": "users"})
    put(tmp_path / "blog", {"001_x.sql": "users"})
    found = discover([Folder(tmp_path / "project"), Folder(tmp_path / "blog", "blog")])
    made = plan(
        list(arrange(found.files)),
        record("blog/001_x.sql"),
        record("repeatable/v.sql"),
        selection=Selection(late=LatePolicy.ERROR),
    )
    assert ("001_a.sql", "pending", True, "") in told(made)


def test_a_file_that_failed_before_is_not_late(tmp_path: Path) -> None:
    made = plan(
        on_disk(tmp_path, LATE),
        *LATE_KNOWN,
        record("002_b.sql", State.FAILED),
        selection=Selection(late=LatePolicy.ERROR),
    )
    assert told(made)[1] == ("002_b.sql", "failed", True, "failed before")


# Records without a file


@pytest.mark.parametrize(
    ("known", "missing"),
    [
        (record("000_gone.sql"), True),
        (record("000_gone.sql", State.BASELINED), True),
        (record("000_gone.sql", State.PARTIAL), True),
        (record("000_gone.sql", State.IN_DOUBT), True),
        (record("repeatable/gone.sql", State.FAILED, executed_at=WHEN), True),
        (record("000_gone.sql", State.FAILED), False),
        (record("000_gone.sql", State.REVERTED), False),
        (record("000_gone.sql", State.RETIRED), False),
    ],
)
def test_a_record_whose_file_is_gone(tmp_path: Path, known: Record, missing: bool) -> None:
    made = plan(on_disk(tmp_path, THREE), known)
    expected = [(known.filename, "the database holds it, but its file is gone")] if missing else []
    assert [(each.name, each.reason) for each in made.missing] == expected


# Files that are held


def walk(
    made: Plan, outcomes: Mapping[str, bool], *, django_applied: Collection[tuple[str, str]] = ()
) -> dict[str, str]:
    """Walk along a plan as a run does; return for each runnable file why it was held, ``ok`` or ``failed``."""
    along = Walk.along(made, words_in_common, django_applied)
    ends = {}
    for step in made:
        if not step.runs:
            along.pass_by(step)
        elif reason := along.held(step):
            along.finish(step, applied=False)
            ends[step.name] = reason
        else:
            applied = outcomes.get(step.name, True)
            along.finish(step, applied=applied)
            ends[step.name] = "ok" if applied else "failed"
    return ends


SIX = {
    "001.sql": "base",
    "002.sql": "users",
    "003.sql": "users posts",
    "004.sql": "tags",
    "005.sql": "base2",
    "006.sql": "posts",
}


def test_a_failure_holds_what_touches_the_same_directly_or_through_another(tmp_path: Path) -> None:
    assert walk(plan(on_disk(tmp_path, SIX)), {"002.sql": False}) == {
        "001.sql": "ok",
        "002.sql": "failed",
        "003.sql": "touches users, as does 002.sql, which is not applied",
        "004.sql": "ok",
        "005.sql": "ok",
        "006.sql": "touches posts, as does 003.sql, which is not applied",
    }


def test_naming_a_file_does_not_step_over_one_that_holds_it(tmp_path: Path) -> None:
    made = plan(on_disk(tmp_path, SIX), record("002.sql", State.FAILED), selection=Selection(names=("003.sql",)))
    assert walk(made, {}) == {"003.sql": "touches users, as does 002.sql, which is not applied"}


@pytest.mark.parametrize("state", [State.PARTIAL, State.IN_DOUBT])
def test_a_file_that_stopped_half_way_holds_what_touches_the_same(tmp_path: Path, state: State) -> None:
    made = plan(on_disk(tmp_path, SIX), record("002.sql", state), selection=Selection(names=("003.sql", "004.sql")))
    assert walk(made, {}) == {"003.sql": "touches users, as does 002.sql, which is not applied", "004.sql": "ok"}


def test_a_late_file_that_is_left_holds_what_touches_the_same(tmp_path: Path) -> None:
    files = on_disk(tmp_path, {**LATE, "002_b.sql": "tags", "005_e.sql": "tags", "006_f.sql": "other"})
    assert walk(plan(files, *LATE_KNOWN), {}) == {
        "005_e.sql": "touches tags, as does 002_b.sql, which is not applied",
        "006_f.sql": "ok",
    }


def test_a_pending_file_that_was_not_asked_for_holds_nothing(tmp_path: Path) -> None:
    made = plan(on_disk(tmp_path, SIX), selection=Selection(names=("003.sql",)))
    assert walk(made, {}) == {"003.sql": "ok"}


def test_a_file_waits_for_what_it_requires(tmp_path: Path) -> None:
    files = on_disk(tmp_path, {**THREE, "002_b.sql": "-- sqlmigrations: requires 001_a.sql\nb"})
    waits = "requires 001_a.sql, which is not applied"
    assert walk(plan(files), {"001_a.sql": False})["002_b.sql"] == waits
    assert walk(plan(files, selection=Selection(names=("002_b.sql",))), {}) == {"002_b.sql": waits}
    assert walk(plan(files, record("001_a.sql")), {})["002_b.sql"] == "ok"
    assert walk(plan(files, record("001_a.sql", State.BASELINED)), {})["002_b.sql"] == "ok"
    assert walk(plan(files, record("001_a.sql", State.REVERTED)), {})["002_b.sql"] == waits


def test_a_file_waits_for_the_django_migration_that_it_requires(tmp_path: Path) -> None:
    files = on_disk(tmp_path, {"001_a.sql": "-- sqlmigrations: requires django:blog.0002_post\na"})
    waits = {"001_a.sql": "requires the Django migration blog.0002_post, which is not applied"}
    assert walk(plan(files), {}) == waits
    assert walk(plan(files), {}, django_applied=[("blog", "0001_initial")]) == waits
    assert walk(plan(files), {}, django_applied=[("blog", "0002_post")]) == {"001_a.sql": "ok"}


def test_a_repeatable_that_fails_now_holds_though_its_old_text_is_there(tmp_path: Path) -> None:
    files = on_disk(
        tmp_path, {"repeatable/a.sql": "view", "repeatable/b.sql": "-- sqlmigrations: requires repeatable/a.sql\nw"}
    )
    made = plan(files, record("repeatable/a.sql"), changes={"repeatable/a.sql": Change.CHANGED})
    assert walk(made, {"repeatable/a.sql": False})["repeatable/b.sql"] == (
        "requires repeatable/a.sql, which is not applied"
    )


def test_a_preview_shows_what_would_be_held_even_if_all_else_went_well(tmp_path: Path) -> None:
    files = on_disk(tmp_path, {**LATE, "002_b.sql": "tags", "005_e.sql": "tags", "006_f.sql": "other"})
    shown = preview(plan(files, *LATE_KNOWN), words_in_common, ())
    assert told(shown)[4:] == [
        ("005_e.sql", "held", False, "touches tags, as does 002_b.sql, which is not applied"),
        ("006_f.sql", "pending", True, ""),
    ]
    assert [step.name for step in shown.with_status(Status.HELD, Status.LATE)] == ["002_b.sql", "005_e.sql"]
