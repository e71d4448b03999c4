"""All that a release computes from its published tables: capacity, indicators, and what agreements have brought."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pipeline.formats import Format
from pipeline.methods import coordination
from pipeline.methods.capacity import assess, capacity, published
from pipeline.methods.indicators import indicators
from pipeline.methods.released import Key, Made
from pipeline.model import Library, Package, Report, Settings


def made(
    packages: Sequence[Package],
    reports: Mapping[Key, Report],
    library: Library,
    settings: Settings,
    *,
    formats: Iterable[Format],
) -> Made:
    """The packages with those that are made of them, and what is said of all of them."""
    forms = tuple(formats)
    profiles = assess(packages, reports, library, settings)
    also = published(profiles, library, settings)
    delivered = [each for each in packages if each.data.flow.id == library.capacity.flow]
    rest = [each for each in packages if each.data.flow.id != library.capacity.flow]
    computed = indicators(rest, reports, library, settings, formats=forms, also=also)
    every = [*computed.packages, *delivered]
    found = capacity(profiles, every, reports, library, settings, answers=computed.answers, formats=forms)
    day = settings.release_day
    deliveries = coordination.deliveries(found.packages, library, areas=settings.areas, day=day)
    return Made(
        found.packages,
        {**computed.reports, **found.reports},
        {**computed.held_back, **found.held_back},
        {**computed.records, **found.records, **dict(coordination.records(deliveries, release=settings.release))},
        computed.answers,
        found.profiles,
        deliveries,
    )
