"""The documents of ``validateschema``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmigrations.output.documents.base import Document, head

if TYPE_CHECKING:
    from sqlmigrations.schema.catalog import Catalog
    from sqlmigrations.schema.ddl_log import LoggedChange
    from sqlmigrations.schema.difference import Difference
    from sqlmigrations.service.ddl_log import DDLLogReport
    from sqlmigrations.service.validate import Origin, ValidationReport
    from sqlmigrations.service.versions import Accepted, VersionsReport


def of_validation(report: ValidationReport) -> Document:
    """Return the document of a validation."""
    return {
        **head("validateschema", report.database),
        "drift": [
            difference_document(difference, report.origins.get(difference.object)) for difference in report.differences
        ],
        "examined": dict(report.examined),
        "not_compared": dict(report.not_compared),
        "skipped": [
            {"what": skipped.what, "reason": skipped.reason, "remedy": skipped.remedy, "asked": skipped.asked}
            for skipped in report.skipped
        ],
        "ignored": [
            {
                "kind": difference.kind,
                "object": difference.object,
                "attribute": difference.attribute,
                "reason": rule.reason,
                "until": rule.until and rule.until.isoformat(),
            }
            for difference, rule in report.ignored
        ],
        "expired_rules": [
            {"rule": str(rule), "reason": rule.reason, "until": rule.until and rule.until.isoformat()}
            for rule in report.expired
        ],
        "summary": report.summary,
        "head": report.head,
    }


def difference_document(difference: Difference, origin: Origin | None = None) -> Document:
    """Return the document of one difference."""
    changed = difference.changed
    return {
        "source": str(difference.source),
        "kind": difference.kind,
        "object": difference.object,
        "attribute": difference.attribute,
        "expected": difference.expected,
        "found": difference.found,
        "found_object": difference.found_object or difference.object,
        "severity": str(difference.severity),
        "fix": difference.fix,
        "origin": origin and {"file": origin.path, "line": origin.line},
        "changed": changed
        and {
            "at": changed.at.isoformat(),
            "by": changed.by,
            "application": changed.application,
            "statement": changed.statement,
        },
    }


def of_versions(report: VersionsReport) -> Document:
    """Return the document of the versions of a schema."""
    return {
        **head("validateschema", report.database),
        "versions": [
            {
                "id": version.id,
                "at": version.at.isoformat(),
                "reason": version.reason,
                "files": list(version.files),
                "role": version.role,
                "objects": dict(version.counts),
            }
            for version in report.versions
        ],
    }


def of_accepted(accepted: Accepted) -> Document:
    """Return the document of a schema that was accepted as it is."""
    return {
        **head("validateschema", accepted.database),
        "accepted": [
            {"kind": difference.kind, "object": difference.object, "attribute": difference.attribute}
            for difference in accepted.differences
        ],
        "version": accepted.version,
        "head": accepted.head,
    }


def of_coverage(database: str, catalog: Catalog) -> Document:
    """Return the document of what is read and what isn't."""
    return {
        **head("validateschema", database),
        "examined": dict(catalog.counts),
        "not_compared": dict(catalog.not_covered),
    }


def of_ddl_log(report: DDLLogReport) -> Document:
    """Return the document of the DDL log."""
    installed = report.installed
    return {
        **head("validateschema", report.database),
        "installed": report.condition.is_installed,
        "installed_at": installed.at.isoformat() if installed else None,
        "installed_by": installed.role if installed else None,
        "problems": list(report.condition.problems),
        "changes": [_logged(change) for change in report.changes],
    }


def _logged(change: LoggedChange) -> Document:
    return {**{name: getattr(change, name) for name in change.__slots__}, "at": change.at.isoformat()}
