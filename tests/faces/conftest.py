"""What pytest should know about the tests of the faces."""

from __future__ import annotations

#: A project of its own, with settings of its own: its tests are run by ``test_downstream.py``.
collect_ignore = ["downstream"]
