"""Who gets in without a proof."""

from __future__ import annotations

from typing import Any

import pytest

from sqlmigrations.health.snapshot.configuration import HostAuthentication
from tests.health.asking import Answered, Patient, said
from tests.helpers import role


def _rule(**changes: Any) -> dict[str, Any]:
    return {
        "line": 7, "type": "host", "databases": "all", "roles": "app", "address": "10.0.0.0", "method": "scram-sha-256",
        "error": None,
    } | changes  # fmt: skip


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (_rule(), None),
        (_rule(method="trust"), ("warning", "host all app 10.0.0.0: trust, which asks for no password")),
        (_rule(method="password"), ("warning", "host all app 10.0.0.0: password, which sends the password as it is")),
        (_rule(method="md5"), ("info", "host all app 10.0.0.0: md5, which can be broken")),
        (_rule(method="trust", address="127.0.0.1"), None),
        (_rule(method="trust", type="local", address=""), None),
        (
            _rule(error='invalid authentication method "scam"', method=""),
            ("warning", 'the server can\'t read it: invalid authentication method "scam"'),
        ),
    ],
)
def test_rules(row: dict[str, Any], expected: tuple[str, str] | None) -> None:
    found = HostAuthentication().judge(row)
    assert (found and (str(found.severity), found.observed)) == expected
    assert found is None or str(found.subject) == "pg_hba.conf line 7"


def test_only_some_may_read_the_rules(own_patient: Patient) -> None:
    assert own_patient.ask(HostAuthentication()).examined > 0
    with role() as bare:
        refused = said(own_patient.ask(HostAuthentication(), role=bare))
        assert refused == Answered(
            "skipped",
            reason="pg_hba.conf may not be read",
            remedy=f'GRANT SELECT ON pg_catalog.pg_hba_file_rules TO "{bare}"; '
            f'GRANT EXECUTE ON FUNCTION pg_catalog.pg_hba_file_rules() TO "{bare}";',
        )
        own_patient.run(refused.remedy)
        assert own_patient.ask(HostAuthentication(), role=bare).examined > 0
