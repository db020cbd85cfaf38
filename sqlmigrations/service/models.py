"""Compares one database with what the models of the applied Django migrations expect."""

from __future__ import annotations

from dataclasses import replace

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.exceptions import BadMigrationError, NodeNotFoundError

from sqlmigrations.conf import settings
from sqlmigrations.database import raw
from sqlmigrations.schema.catalog import CatalogBusy, read_catalog
from sqlmigrations.schema.difference import Findings, Skipped
from sqlmigrations.schema.expected import compare_models, models_catalog
from sqlmigrations.schema.scratch import NoScratch
from sqlmigrations.schema.severities import read_severities

#: What may be wrong with the migrations themselves; a state that can't be rendered is a ValueError.
_WRONG = (BadMigrationError, NodeNotFoundError, ImportError, ValueError)


def compare_with_models(wrapper: BaseDatabaseWrapper) -> Findings:
    """Return what the models' tables miss or have otherwise; where it can't be found out, say why."""
    try:
        expected = models_catalog(wrapper)
    except NoScratch as error:
        return Findings(skipped=(Skipped("the models", error.reason, error.remedy, asked=False),))
    except _WRONG as error:
        why = str(error).partition("\n")[0]
        return Findings(skipped=(Skipped("the models", why, "Look with: manage.py migrate --plan", asked=False),))
    tables = expected.catalog.counts.get("table", 0)
    skipped = tuple(replace(each, asked=False) for each in expected.skipped)
    if not tables:
        return Findings(skipped=skipped)
    try:
        found = read_catalog(raw(wrapper))
    except CatalogBusy as busy:
        return Findings(skipped=(*skipped, Skipped("the models", busy.message.rstrip("."), busy.hint)))
    severities = read_severities(settings.DRIFT_SEVERITY)
    differences = compare_models(raw(wrapper), expected, found, severities=severities)
    return Findings(differences, {"model table": tables}, skipped=skipped)
