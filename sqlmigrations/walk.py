"""A walk along a plan: which files have to wait for what became of the earlier ones. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from sqlmigrations.files.graph import required, required_migrations
from sqlmigrations.files.scripts import SQLFile
from sqlmigrations.messages import gettext as _
from sqlmigrations.plan import BLOCKING, Overlap, Plan, Status, Step


@dataclass
class Walk:
    """A walk along a plan: which files are held by what became of the earlier ones.

    The run asks ``held`` before each step and tells it the end of each; a preview tells it that all went well.
    """

    overlap: Overlap
    django_applied: Collection[tuple[str, str]]
    settled: set[str] = field(default_factory=set)
    blocked: list[SQLFile] = field(default_factory=list)

    @classmethod
    def along(cls, plan: Plan, overlap: Overlap, django_applied: Collection[tuple[str, str]]) -> Walk:
        """Begin a walk: what the database holds already is settled."""
        settled = {step.name for step in plan if step.record is not None and step.record.is_held}
        return cls(overlap, django_applied, settled)

    def held(self, step: Step) -> str:
        """Return why ``step`` must wait, or nothing."""
        for label, name in required_migrations(step.file):
            if (label, name) not in self.django_applied:
                return _("requires the Django migration {name}, which is not applied", name=f"{label}.{name}")
        for name in required(step.file):
            if name not in self.settled:
                return _("requires {name}, which is not applied", name=name)
        for other in self.blocked:
            if shared := self.overlap(step.file, other):
                return _("touches {shared}, as does {name}, which is not applied", shared=shared, name=other.name)
        return ""

    def pass_by(self, step: Step) -> None:
        """Take note of a step that the run leaves alone."""
        if step.status in BLOCKING:
            self.blocked.append(step.file)

    def finish(self, step: Step, *, applied: bool) -> None:
        """Take note of how a step ended."""
        if applied:
            self.settled.add(step.name)
        else:
            self.settled.discard(step.name)
            self.blocked.append(step.file)


def preview(plan: Plan, overlap: Overlap, django_applied: Collection[tuple[str, str]]) -> Plan:
    """Return the plan with the files that would be held even if all the others went well."""
    walk = Walk.along(plan, overlap, django_applied)
    steps = []
    for step in plan:
        if not step.runs:
            walk.pass_by(step)
        elif reason := walk.held(step):
            step = replace(step, status=Status.HELD, runs=False, reason=reason)
            walk.pass_by(step)
        else:
            walk.finish(step, applied=True)
        steps.append(step)
    return replace(plan, steps=tuple(steps))
