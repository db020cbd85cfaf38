"""What every run tells while it goes on, and how long it waits for another one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlmigrations.runner.moved import Moved

if TYPE_CHECKING:
    from sqlmigrations.runner.lock import Holder
    from sqlmigrations.runner.watcher import Blocker

#: Seconds to wait for another run unless told otherwise.
LOCK_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """The run waits for another session to let go of a lock of ours."""

    holder: Holder


@dataclass(frozen=True, slots=True)
class Blocked:
    """A statement has been waiting for other sessions for some seconds."""

    blockers: tuple[Blocker, ...]


#: What every run may tell while it goes on, and what takes it.
Told = Waiting | Blocked | Moved
Tell = Callable[[Told], None]
