"""What statements about roles and their privileges change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmigrations.files.names import beyond_schemas, everything_in
from sqlmigrations.files.targets.objects import change_object
from sqlmigrations.files.trees import Node, object_path, options_of, relation, string, strings

if TYPE_CHECKING:
    from sqlmigrations.files.effects import Collector


def grant(collector: Collector, node: Node) -> None:
    """Take GRANT and REVOKE on objects."""
    if node.get("targtype") == "ACL_TARGET_ALL_IN_SCHEMA":
        collector.changes |= {everything_in(schema) for schema in strings(node.get("objects"))}
        return
    for part in node.get("objects", []):
        if "RangeVar" in part:
            collector.change(relation(part["RangeVar"]))
        elif node["objtype"] == "OBJECT_SCHEMA":
            # The right to look into a schema changes nothing that is in it.
            collector.changes.add(beyond_schemas("schema", string(part)))
        else:
            change_object(collector, node["objtype"], object_path(part))


def default_privileges(collector: Collector, node: Node) -> None:
    """Take ALTER DEFAULT PRIVILEGES."""
    schemas = strings(options_of(node.get("options")).get("schemas"))
    collector.changes |= {everything_in(schema) for schema in schemas} or {"default privileges"}


def grant_role(collector: Collector, node: Node) -> None:
    """Take GRANT and REVOKE of roles."""
    granted = [part["AccessPriv"]["priv_name"] for part in node.get("granted_roles", []) if "AccessPriv" in part]
    grantees = [part["RoleSpec"].get("rolename", "") for part in node.get("grantee_roles", []) if "RoleSpec" in part]
    collector.changes |= {beyond_schemas("role", role) for role in (*granted, *grantees) if role}


def drop_roles(collector: Collector, node: Node) -> None:
    """Take DROP ROLE."""
    roles = [part["RoleSpec"].get("rolename", "") for part in node.get("roles", []) if "RoleSpec" in part]
    collector.changes |= {beyond_schemas("role", role) for role in roles if role}
