"""The closed vocabulary of functions that a row of `rules.csv` may name.

A check takes the observations, the rule and the library and yields findings: rows, the component
at fault, what was found and what was expected. It never changes or drops a row.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.checks import (
    accounting,
    confidentiality,
    domain,
    exchanged,
    inclusion,
    plausible,
    revision,
    series,
    structural,
    survey,
)
from pipeline.checks.finding import Check

CHECKS: Mapping[str, Check] = {
    "agreement": Check(structural.agreement),
    "complete": Check(structural.complete),
    "codes": Check(structural.codes),
    "allowed": Check(structural.allowed),
    "unique": Check(structural.unique),
    "mandatory": Check(structural.mandatory),
    "attached": Check(domain.attached),
    "period": Check(structural.period),
    "numeric": Check(structural.numeric),
    "authority": Check(structural.authority),
    "condition": Check(domain.condition),
    "own_country": Check(domain.own_country, names_components=True),
    "unit": Check(domain.unit),
    "sum": Check(accounting.sum_of_parts, names_components=True),
    "hierarchy": Check(accounting.hierarchy, names_components=True),
    "tree": Check(accounting.tree, names_components=True),
    "detail": Check(accounting.detail, names_components=True),
    "areas": Check(accounting.areas, names_components=True),
    "difference": Check(accounting.difference, names_components=True),
    "periods": Check(accounting.periods),
    "carried": Check(accounting.carried, names_components=True),
    "within": Check(inclusion.within, names_components=True),
    "working_age": Check(plausible.working_age),
    "ratio": Check(plausible.ratio, names_components=True),
    "jump": Check(series.jump),
    "outlier": Check(series.outlier),
    "splice": Check(series.splice),
    "flat": Check(series.flat),
    "heaping": Check(series.heaping),
    "exchanged": Check(exchanged.exchanged, names_components=True),
    "reliability": Check(survey.reliability),
    "product": Check(survey.product),
    "threshold": Check(confidentiality.threshold),
    "recoverable": Check(confidentiality.recoverable),
    "forbidden": Check(confidentiality.forbidden),
    "revised": Check(revision.revised),
    "large": Check(revision.large),
    "final": Check(revision.final),
    "vanished": Check(revision.vanished),
}
