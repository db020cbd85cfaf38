"""Compares one database with what the models of the applied Django migrations expect."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.exceptions import BadMigrationError, NodeNotFoundError

from sqlmigrations.conf import settings
from sqlmigrations.database import raw
from sqlmigrations.history import Tables
from sqlmigrations.messages import gettext as _
from sqlmigrations.schema.catalog import CatalogBusy
from sqlmigrations.schema.difference import Findings, Skipped
from sqlmigrations.schema.expected import compare_models, expectation_key, models_catalog, part_of_models
from sqlmigrations.schema.kept_expectations import Verdict, keep_verdict, read_verdict
from sqlmigrations.schema.live import Live
from sqlmigrations.schema.scratch import NoScratch
from sqlmigrations.schema.severities import read_severities

#: What may be wrong with the migrations themselves; a state that can't be rendered is a ValueError.
_WRONG = (BadMigrationError, NodeNotFoundError, ImportError, ValueError)


def compare_with_models(
    wrapper: BaseDatabaseWrapper, tables: Tables | None, live: Live, *, whole: bool = False
) -> Findings:
    """Return what the models' tables miss or have otherwise; where it can't be found out, say why.

    While neither the models nor the schema have changed since the last comparison, its answer stands; what a fix is
    made of, both catalogs, comes with the findings only when it is the ``whole`` answer that is wanted.
    """
    connection, severities = raw(wrapper), read_severities(settings.DRIFT_SEVERITY)
    try:
        key = expectation_key(wrapper)
        verdict = read_verdict(connection, tables, key, live.fingerprint, severities)
        if verdict is not None and not whole:
            return _findings(verdict)
        expected = models_catalog(wrapper, tables, key)
    except NoScratch as error:
        return Findings(skipped=(Skipped(_("the models"), error.reason, error.remedy, asked=False),))
    except _WRONG as error:
        why = str(error).partition("\n")[0]
        return Findings(skipped=(Skipped(_("the models"), why, _("Look with: manage.py migrate --plan"), asked=False),))
    skipped = tuple(replace(each, asked=False) for each in expected.skipped)
    count = expected.catalog.counts.get("table", 0)
    if not count:
        return Findings(skipped=skipped)
    try:
        found = live.catalog
    except CatalogBusy as busy:
        return Findings(skipped=(*skipped, Skipped(_("the models"), busy.reason, busy.hint)))
    differences = compare_models(connection, expected, found, severities=severities)
    verdict = Verdict(differences, count, skipped)
    keep_verdict(connection, tables, key, live.fingerprint, severities, verdict)
    return replace(_findings(verdict), expected=expected.catalog, found=found, part=partial(part_of_models, expected))


def _findings(verdict: Verdict) -> Findings:
    return Findings(verdict.differences, {"model table": verdict.tables}, skipped=verdict.skipped)
