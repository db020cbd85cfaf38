"""What a person is shown before history is settled by hand: repairs and adoptions, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.core.management.color import Style

from sqlmigrations.service.repair import Repair, RepairKind, RepairPlan

if TYPE_CHECKING:
    from sqlmigrations.service.adopt import Adoption, AdoptionPlan


def repair_lines(plan: RepairPlan, style: Style) -> Iterator[str]:
    """Yield what files and history disagree about, and how it would be settled."""
    if not plan.repairs:
        yield "Files and history agree: there is nothing to repair."
        return
    yield style.MIGRATE_HEADING("To repair:")
    for repair in plan.repairs:
        yield f"  {_repair(repair)}"
        yield from (f"    {line}" for line in repair.diff.splitlines())


def _repair(repair: Repair) -> str:
    match repair.kind:
        case RepairKind.ACCEPT:
            what = "its comments and layout changed" if repair.cosmetic else "its text changed"
            return f"Accept {repair.name} as it stands on disk: {what} after it was applied"
        case RepairKind.RENAME:
            same = "the same text" if repair.is_same_text else "the same statements, with other comments or layout"
            return f"Rename {repair.name} to {repair.new_name}: {same}"
    return f"Retire {repair.name}: its file is gone, the database keeps what it made"


def adoption_lines(plan: AdoptionPlan, style: Style) -> Iterator[str]:
    """Yield what would be taken over from another tool's history."""
    if not plan.adoptions:
        yield f"Nothing to take over from {plan.table} ({plan.tool}): {plan.known} of its files are on record already."
        return
    yield style.MIGRATE_HEADING(f"To take over from {plan.table} ({plan.tool}):")
    for adoption in plan.adoptions:
        yield f"  {_adoption(adoption, style)}"
    if plan.known:
        yield f"  {plan.known} more are on record already."


def _adoption(adoption: Adoption, style: Style) -> str:
    when = f", {adoption.at:%Y-%m-%d %H:%M}" if adoption.at else ""
    if not adoption.success:
        return f"{adoption.name}: {style.ERROR('failed')}{when}: {adoption.error or ''}".rstrip(": ")
    if adoption.file is None:
        return f"{adoption.name}: {style.WARNING('applied, but no such file is on disk')}{when}"
    return f"{adoption.name}: applied{when}"
