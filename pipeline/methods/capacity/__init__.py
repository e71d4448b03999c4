"""The capacity assessment: answers of countries side by side with what their published tables show (framework §8).

It is made after protection, of published figures alone, and published as a dataflow like any other: whoever has the
release could work it out again. It shows profiles and never ranks.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline import protect
from pipeline.assessed import Profile
from pipeline.computed import Answer
from pipeline.formats import Format
from pipeline.framework import Dataflow
from pipeline.methods.capacity import issues, records, tables
from pipeline.methods.capacity.derived import profile, with_indicators, without_indicators
from pipeline.methods.capacity.scores import Evidence
from pipeline.methods.indicators.evaluate import Published
from pipeline.methods.released import Key, Made, Publisher, described
from pipeline.model import Library, Observations, Package, Protected, Report, Settings
from pipeline.report import reason
from pipeline.validate import validate

log = logging.getLogger("trayecto")

_KINDS = ("I", "SDG_")  # indicators of the list that a country could fill (framework §6)


def assess(
    packages: Sequence[Package], reports: Mapping[Key, Report], library: Library, settings: Settings
) -> tuple[Profile, ...]:
    """Every country of a release from its packages, but for what is derived from its indicators."""
    of = library.capacity
    if not of.flow or of.flow not in (settings.flows or library.dataflows):
        return ()
    computed = {library.indicators.flow, of.flow}
    found = []
    for area in dict.fromkeys(each.data.area for each in packages):
        own = {p.data.flow.id: p for p in packages if p.data.area == area and p.data.flow.id not in computed}
        said = {flow: report for (reported, flow), report in reports.items() if reported == area}
        evidence = Evidence(area, own, said, library, settings.release_day)
        found.append(profile(evidence, library.countries[area].replies, of.items))
    return tuple(found)


def published(profiles: Iterable[Profile], library: Library, settings: Settings) -> list[Published]:
    """The evidence of each country as indicators read it, but for what is derived from indicators."""
    plain = (without_indicators(each) for each in profiles)
    made = tables.observations(plain, {}, settings.release_day[:4], library)
    return [Published(each.area, each.flow, each.frame, settings.release) for each in made]


def capacity(
    profiles: Iterable[Profile],
    packages: Sequence[Package],
    reports: Mapping[Key, Report],
    library: Library,
    settings: Settings,
    *,
    answers: Collection[Answer],
    formats: Iterable[Format],
) -> Made:
    """Publish the assessment of every country; `answers` say which indicators each of them has.

    A table of the assessment among the packages is what its country delivered: it is held back, for a table says
    neither the evidence of an answer nor who answers.
    """
    flow = library.capacity.flow
    given = {each.data.area: each for each in packages if each.data.flow.id == flow}
    found = Made([each for each in packages if each.data.flow.id != flow])
    office = _Assessor(found, reports, library, settings, Publisher(found, library, settings, tuple(formats)))
    found.profiles = tuple(with_indicators(each, _filled(each.area, answers)) for each in profiles)
    replies = {each.area: library.countries[each.area].replies for each in found.profiles}
    made = tables.observations(found.profiles, replies, settings.release_day[:4], library)
    data = protect.protect_all(made, library, day=settings.release_day).tables if made else ()
    for each, computed, figures in zip(found.profiles, made, data, strict=True):
        office.publish(each, computed, figures, given.get(each.area))
    return found


def _filled(area: str, answers: Iterable[Answer]) -> tuple[float, float]:
    """Indicators that a country has figures of, out of those of the list that a country could fill."""
    own = [each for each in answers if each.area == area and each.indicator.startswith(_KINDS)]
    return float(sum(1 for each in own if each.figures)), float(len(own))


@dataclass(frozen=True)
class _Assessor:
    """Adds the assessment of one country after the other to what is `found`."""

    found: Made
    reports: Mapping[Key, Report]
    library: Library
    settings: Settings
    office: Publisher

    @property
    def flow(self) -> Dataflow:
        return self.library.dataflows[self.library.capacity.flow]

    def publish(self, made: Profile, computed: Observations, data: Protected, given: Package | None) -> None:
        """The table, report and records of one country; `given` is what it delivered."""
        area, day = made.area, self.settings.release_day
        key, country = (area, self.flow.id), self.library.countries[area]
        report = validate(computed, self.library, day=day)
        told = (*issues.ages(country.replies, area, self.flow.id, day), *issues.gaps(made, self.flow.id))
        report = replace(report, issues=(*report.issues, *told))
        file = tables.items_file(self.library)
        report = self.office.packaged(data, report, described(country, self.library.capacity, file))
        if given is not None:
            report = replace(report, issues=(*issues.delivered(given.data), *report.issues))
            self.found.held_back[key] = reason(report)
        self.found.reports[key] = report
        self.found.records |= dict(records.records(made, self.library.capacity))
        answered = sum(1 for each in made.items if each.reply is not None)
        log.info("%s %s: %d items answered, %d tables assessed", area, self.flow.id, answered, len(made.tables))
