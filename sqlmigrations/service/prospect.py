"""What a run is asked for, and what it would do: the files, the history, the plan that follows from both."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS
from django.db.backends.base.base import BaseDatabaseWrapper

from sqlmigrations.conf import settings
from sqlmigrations.exceptions import ConfigurationError, InvalidFiles, Problem, SameNumber
from sqlmigrations.files.kinds import Kind
from sqlmigrations.files.lookup import resolve
from sqlmigrations.garbage import without_collections
from sqlmigrations.history import Location
from sqlmigrations.plan import LatePolicy, Plan, Selection
from sqlmigrations.service.gather import Footprints, OnDisk, Remembered, plan_of, recall
from sqlmigrations.service.told import LOCK_WAIT


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """What to apply, where, and how. ``lock_wait`` is in seconds.

    Raises:
        ConfigurationError: two of them contradict each other.
    """

    database: str = DEFAULT_DB_ALIAS
    names: tuple[str, ...] = ()
    to: str | None = None
    seeds: tuple[str, ...] = ()
    force: bool = False
    fake: bool = False
    baseline: str | None = None
    fail_fast: bool = False
    allow_late: bool = False
    backup: bool = False
    gate: bool = False
    lock_wait: float = LOCK_WAIT
    lint: bool = False

    def __post_init__(self) -> None:
        given = {"NAME": self.names, "--to": self.to, "--seed": self.seeds, "--baseline": self.baseline}
        if len(said := [name for name, value in given.items() if value not in (None, ())]) > 1:
            raise ConfigurationError(f"{' and '.join(said)} say two different things.", hint="Give one of them.")
        if self.force and not self.seeds:
            raise ConfigurationError("--force goes with --seed.")

    @property
    def records_only(self) -> bool:
        """Whether files are recorded without being run."""
        return self.fake or self.baseline is not None


@dataclass
class Prospect:
    """The files, the history and the plan that follows from both."""

    disk: OnDisk
    remembered: Remembered
    plan: Plan
    footprints: Footprints


@without_collections()
def look_ahead(
    wrapper: BaseDatabaseWrapper,
    disk: OnDisk,
    options: ApplyOptions,
    footprints: Footprints,
    location: Location | None = None,
) -> Prospect:
    """Read the history, and plan."""
    _selection(options, disk)  # a wrong name is told before the database is asked
    return foresee(disk, recall(wrapper, disk, location=location), options, footprints)


def foresee(disk: OnDisk, remembered: Remembered, options: ApplyOptions, footprints: Footprints) -> Prospect:
    """Plan from files and history."""
    selection = _selection(options, disk)
    if disk.mixed_width is not None and not any(record.is_held for record in remembered.records.values()):
        raise InvalidFiles([disk.mixed_width])
    return Prospect(disk, remembered, plan_of(disk, remembered, selection, footprints), footprints)


def _selection(options: ApplyOptions, disk: OnDisk) -> Selection:
    """Turn the names that a person gave into those of files.

    Raises:
        UnknownFile: a name that no file has.
        ConfigurationError: a combination that says two things, or a seed that must not be here.
    """
    target = options.to if options.baseline is None else options.baseline
    to = resolve(target, disk.files).name if target is not None else None
    names = tuple(resolve(name, disk.files).name for name in options.names)
    seeds = tuple(resolve(name, disk.files, kind=Kind.SEED).name for name in options.seeds)
    for name in (*names, *([to] if to else [])):
        if disk.by_name[name].kind is Kind.SEED:
            raise ConfigurationError(f"{name} is a seed.", hint=f"Run it with: applysql --seed {name}")
    for name in seeds:
        if settings.PRODUCTION and "production" not in disk.by_name[name].directives.tags:
            raise ConfigurationError(
                f"{name} is a seed for development, and SQLMIGRATIONS_PRODUCTION is set.",
                hint="If it belongs into production, write into it: -- sqlmigrations: tags production",
            )
    late = LatePolicy.ALLOW if options.allow_late else _late_policy()
    return Selection(names, to, seeds, options.force, late, retakes_reverted=options.baseline is None)


def _late_policy() -> LatePolicy:
    """Return the setting's policy. Raises ``ConfigurationError`` for a value that is none."""
    try:
        return LatePolicy(settings.LATE_FILES)
    except ValueError as error:
        known = ", ".join(f'"{policy}"' for policy in LatePolicy)
        raise ConfigurationError(
            f"SQLMIGRATIONS_LATE_FILES can't be {settings.LATE_FILES!r}.", hint=f"Set it to one of: {known}."
        ) from error


def warnings(prospect: Prospect) -> tuple[Problem, ...]:
    """Return what a person should know of the files, though they can be run, and can do something about."""
    disk, records = prospect.disk, prospect.remembered.records
    held = {name for name, record in records.items() if record.is_held}
    settled = [each for each in disk.warnings if isinstance(each, SameNumber) and held.issuperset(each.names)]
    told = [each for each in disk.warnings if each not in settled]
    return (*told, *([disk.mixed_width] if disk.mixed_width else []))
