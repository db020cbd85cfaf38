"""What an exit code says: the first that applies."""

from __future__ import annotations

import uuid

import pytest

from sqlmigrations.exceptions import ConfigurationError, DatabaseUnavailable, InvalidFiles, RunLockHeld, UnknownFile
from sqlmigrations.files.kinds import Kind
from sqlmigrations.output import exit_codes
from sqlmigrations.output.exit_codes import ExitCode
from sqlmigrations.plan import Status
from sqlmigrations.runner.failure import Failure
from sqlmigrations.service.results import FileResult, RunResult


def test_the_numbers() -> None:
    """Scripts and pipelines rely on them."""
    assert {code.name: int(code) for code in ExitCode} == {
        "OK": 0,
        "FOUND": 1,
        "COULD_NOT_ASK": 2,
        "LOCKED": 3,
        "DISAGREES": 4,
        "HALF_WAY": 5,
        "INTERRUPTED": 130,
        "TERMINATED": 143,
    }


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ([], 0),
        ([Status.APPLIED, Status.BASELINED, Status.SKIPPED], 0),
        ([Status.PENDING], 0),  # left since it was not asked for
        ([Status.REVERTED], 0),
        ([Status.APPLIED, Status.FAILED], 1),
        ([Status.HELD], 1),
        ([Status.LATE], 1),
        ([Status.CHANGED, Status.FAILED], 4),
        ([Status.MISSING], 4),
        ([Status.PARTIAL, Status.CHANGED, Status.FAILED], 5),
        ([Status.IN_DOUBT], 5),
    ],
)
def test_a_run(statuses: list[Status], code: int) -> None:
    files = tuple(FileResult(f"{n}.sql", Kind.VERSIONED, status) for n, status in enumerate(statuses))
    assert exit_codes.of_run(RunResult("default", uuid.uuid4(), files, 0, "")) == code


def test_an_error_counts_whatever_the_state() -> None:
    """A revert that failed leaves its file applied."""
    file = FileResult("1.sql", Kind.VERSIONED, Status.APPLIED, error=Failure("no", "1.sql"))
    assert exit_codes.of_run(RunResult("default", uuid.uuid4(), (file,), 1, "")) == 1


def test_errors_before_anything_ran() -> None:
    errors = [ConfigurationError("x"), UnknownFile("x"), InvalidFiles([]), DatabaseUnavailable("x"), RunLockHeld("x")]
    assert [int(exit_codes.of_error(error)) for error in errors] == [2, 2, 2, 2, 3]


def test_several_databases_answer_with_the_heaviest_code() -> None:
    order = [130, 143, 2, 3, 5, 4, 1, 0]
    for index, code in enumerate(order):
        assert exit_codes.heaviest(ExitCode(other) for other in order[index:]) == code
    assert exit_codes.heaviest([]) == 0
