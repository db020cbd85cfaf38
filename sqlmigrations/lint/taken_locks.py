"""Which lock a statement takes on relations of before, as its text tells; tests compare it with what servers do."""

from __future__ import annotations

from collections.abc import Iterator

from sqlmigrations.files.trees import Path, object_path, relation
from sqlmigrations.lint.actions import Action
from sqlmigrations.lint.rewriting import words

#: The modes that keep others out, from PostgreSQL's chapter "Explicit Locking": readers and writers, or writers alone.
ACCESS_EXCLUSIVE, EXCLUSIVE = "AccessExclusive", "Exclusive"
SHARE_ROW_EXCLUSIVE, SHARE = "ShareRowExclusive", "Share"
BLOCKING = (SHARE, SHARE_ROW_EXCLUSIVE, EXCLUSIVE, ACCESS_EXCLUSIVE)

#: Commands of ALTER TABLE that let others go on (ShareUpdateExclusive).
_QUIET = words(
    "AT_SetStatistics AT_SetRelOptions AT_ResetRelOptions AT_ValidateConstraint AT_ClusterOn AT_DropCluster "
    "AT_SetOptions AT_ResetOptions AT_AttachPartition"
)
#: Those that stop writers only.
_WRITERS = words("AT_EnableTrig AT_DisableTrig AT_EnableTrigAll AT_DisableTrigAll AT_EnableTrigUser AT_DisableTrigUser")


def taken(action: Action) -> Iterator[tuple[Path, str]]:
    """Yield the relations that an action keeps others from, each with the mode of its lock."""
    if action.table:
        yield from _of_command(action)
        return
    node = action.node
    match action.kind:
        case "IndexStmt" if not node.get("concurrent"):
            yield relation(node["relation"]), SHARE
        case "CreateTrigStmt":
            yield relation(node["relation"]), SHARE_ROW_EXCLUSIVE
        case "CreatePolicyStmt" | "AlterPolicyStmt":
            yield relation(node["table"]), ACCESS_EXCLUSIVE
        case "RuleStmt" | "ClusterStmt":
            yield relation(node.get("relation")), ACCESS_EXCLUSIVE
        case "RefreshMatViewStmt":
            yield relation(node["relation"]), EXCLUSIVE if node.get("concurrent") else ACCESS_EXCLUSIVE
        case "RenameStmt" if node.get("renameType") in ("OBJECT_TABLE", "OBJECT_COLUMN", "OBJECT_TABCONSTRAINT"):
            yield relation(node.get("relation")), ACCESS_EXCLUSIVE
        case "TruncateStmt":
            yield from ((relation(part.get("RangeVar")), ACCESS_EXCLUSIVE) for part in node.get("relations", []))
        case "LockStmt":
            mode = _MODES.get(node.get("mode", 8), "")
            if mode in BLOCKING:
                yield from ((relation(part.get("RangeVar")), mode) for part in node.get("relations", []))
        case "DropStmt":
            yield from _of_drop(action)
        case "CreateStmt" if "partbound" in node:
            yield relation(node["inhRelations"][0].get("RangeVar")), ACCESS_EXCLUSIVE


#: Numbers of lock modes (src/include/storage/lockdefs.h).
_MODES = {
    1: "AccessShare",
    2: "RowShare",
    3: "RowExclusive",
    4: "ShareUpdateExclusive",
    5: SHARE,
    6: SHARE_ROW_EXCLUSIVE,
    7: EXCLUSIVE,
    8: ACCESS_EXCLUSIVE,
}


def _of_command(action: Action) -> Iterator[tuple[Path, str]]:
    if action.kind in _QUIET or (
        action.kind == "AT_DetachPartition" and action.node["def"]["PartitionCmd"].get("concurrent")
    ):
        return
    constraint = action.node.get("def", {}).get("Constraint", {})
    if action.kind == "AT_AddConstraint" and constraint.get("contype") == "CONSTR_FOREIGN":
        yield action.table, SHARE_ROW_EXCLUSIVE
        yield relation(constraint["pktable"]), SHARE_ROW_EXCLUSIVE
    else:
        yield action.table, SHARE_ROW_EXCLUSIVE if action.kind in _WRITERS else ACCESS_EXCLUSIVE


def _of_drop(action: Action) -> Iterator[tuple[Path, str]]:
    kind = action.node.get("removeType")
    for part in action.node.get("objects", []):
        if kind in ("OBJECT_TABLE", "OBJECT_MATVIEW", "OBJECT_VIEW"):
            yield object_path(part), ACCESS_EXCLUSIVE
        elif kind in ("OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE"):
            yield object_path(part)[:-1], ACCESS_EXCLUSIVE
