"""Indicators for policies and commitments: computed from what a release publishes, and published like the rest.

They are made after protection, of published figures alone: whoever has the release could work them out. So they
tell nothing of a withheld cell, and need no protection of their own (dsd/DF_INDIC/protect.toml).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline import protect
from pipeline.formats import Format
from pipeline.framework import Dataflow
from pipeline.methods.indicators import answers, tables
from pipeline.methods.indicators.definitions import Definitions, definitions
from pipeline.methods.indicators.evaluate import Computed, Published, evaluate
from pipeline.methods.released import Key, Made, Publisher, described
from pipeline.model import Country, Issue, Library, Package, Protected, Report, Settings
from pipeline.report import reason
from pipeline.validate import validate

log = logging.getLogger("trayecto")


def indicators(
    packages: Sequence[Package],
    reports: Mapping[Key, Report],
    library: Library,
    settings: Settings,
    *,
    formats: Iterable[Format],
    also: Sequence[Published] = (),
) -> Made:
    """Compute every indicator of every country from the packages of a release, and from what comes out with it too.

    A table of indicators among them is what its country delivered: it is held against what is computed.
    """
    of = library.indicators
    if not of.flow or of.flow not in (settings.flows or library.dataflows):
        return Made(list(packages))
    flow = library.dataflows[of.flow]
    given = {each.data.area: each.data for each in packages if each.data.flow.id == flow.id}
    found = Made([each for each in packages if each.data.flow.id != flow.id])
    defined, _ = definitions(of, flow.structure)
    published = [Published(p.data.area, p.data.flow, p.data.frame, p.description.vintage) for p in found.packages]
    published += also
    areas = list(dict.fromkeys((*(each.area for each in published), *given)))
    made = evaluate(defined, published, flow, library)
    found.answers = answers.answers(defined, made, areas, library)
    office = Publisher(found, library, settings, tuple(formats))
    told = _Told(found, made, defined, library, settings, office)
    for area in areas:
        told.publish(area, given.get(area), reports.get((area, flow.id)))
    return found


@dataclass(frozen=True)
class _Told:
    """Adds the indicators of one country after the other to what is `found`."""

    found: Made
    made: Computed
    defined: Definitions
    library: Library
    settings: Settings
    office: Publisher

    @property
    def flow(self) -> Dataflow:
        return self.library.dataflows[self.library.indicators.flow]

    def publish(self, area: str, given: Protected | None, before: Report | None) -> None:
        """The table, report and records of one country; `given` is what it delivered, `before` the report on that."""
        key, said = (area, self.flow.id), [each for each in self.found.answers if each.area == area]
        computed = tables.observations(self.made, area, self.library)
        wrong: tuple[Issue, ...] = ()
        if given is not None:
            own = tables.delivered(given, self.library)
            wrong = tuple(tables.differences(own, self.made, self.defined))
            computed = computed if wrong else tables.joined(computed, own, self.made, self.defined, self.library)
        report = validate(computed, self.library, day=self.settings.release_day)
        told = (*report.issues, *answers.issues(said, self.defined))
        report = replace(report, issues=told)
        if len(computed.frame):
            country = self._described(self.library.countries[computed.area])
            data = protect.protect(computed, self.library, day=self.settings.release_day)
            report = self.office.packaged(data, report, country)
        report = replace(report, issues=(*wrong, *report.issues))
        if before is not None:
            issues, applied = (*before.issues, *report.issues), {**before.applied, **report.applied}
            report = replace(before, issues=issues, applied=applied)
        if wrong:
            self.found.held_back[key] = reason(report)
        self.found.reports[key] = report
        release = self.settings.release
        self.found.records[answers.answers_path(self.flow.id, area)] = answers.answers_record(said)
        self.found.records[answers.inputs_path(self.flow.id, area)] = answers.inputs_record(
            self.made, area, self.flow, release
        )
        filled = sum(1 for each in said if each.figures)
        log.info("%s %s: %d figures of %d indicators", area, self.flow.id, len(computed.frame), filled)

    def _described(self, country: Country) -> Country:
        """The country with a series of indicators, which are made of its other tables."""
        of = self.library.indicators
        flows = {each.flow for each in of.inputs.values()}
        there = [p.data.flow.id for p in self.found.packages if p.data.area == country.area and p.data.flow.id in flows]
        below = [layout for flow in there if flow in country.series for layout in country.series[flow].layouts]
        return described(country, of, tables.file(of), below=below)
