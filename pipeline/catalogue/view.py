"""What the pages know of each dataset, worked out once for the three languages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.catalogue.figures import Breakdown, Line, Point, breakdowns, lines
from pipeline.catalogue.periods import order
from pipeline.catalogue.sample import Sample, sample
from pipeline.formats import Format
from pipeline.framework import Dataflow, Provider
from pipeline.model import Country, Library, Package, Release, Settings, Written

LineKey = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class View:
    """One country and dataflow: its package, series, breakdowns, a few rows, and periods in order."""

    package: Package
    lines: tuple[Line, ...]
    breakdowns: tuple[Breakdown, ...]
    sample: Sample
    used: Mapping[str, tuple[str, ...]]  # coded component → codes that stand in the table
    periods: tuple[str, ...]

    @property
    def area(self) -> str:
        return self.package.data.area

    @property
    def flow(self) -> Dataflow:
        return self.package.data.flow

    @property
    def path(self) -> str:
        """The page of the dataset, below the folder of a language."""
        return f"data/{self.flow.id}/{self.area}"

    @property
    def suppressed(self) -> int:
        return sum(self.package.data.suppressed.values())

    def line(self, shared: LineKey | None) -> Line | None:
        """The series that countries have in common, or else this one's first with a figure."""
        same = (line for line in self.lines if line_key(line) == shared)
        return next((line for line in (*same, *self.lines) if line.latest is not None), None)


@dataclass(frozen=True)
class Catalogue:
    """The release as the pages see it."""

    release: Release
    library: Library
    settings: Settings
    formats: Mapping[str, Format]
    written: Mapping[str, Written]
    site: Path
    views: Mapping[tuple[str, str], View]  # by (area, dataflow)
    shared: Mapping[str, LineKey] = field(default_factory=dict)  # dataflow → series most countries have

    @property
    def flows(self) -> tuple[Dataflow, ...]:
        """Dataflows with figures or with a delivery held back, in the order of the categories."""
        ids = {flow for _, flow in (*self.views, *self.release.held_back)}
        order = list(self.library.categories.codes)
        found = (self.library.dataflows[each] for each in ids)
        return tuple(sorted(found, key=lambda flow: (order.index(flow.category), flow.id)))

    @property
    def areas(self) -> tuple[str, ...]:
        """Countries of the run, and any other that has figures."""
        return tuple(dict.fromkeys((*self.settings.areas, *sorted(area for area, _ in self.views))))

    def of_flow(self, flow: str) -> tuple[View, ...]:
        return tuple(self.views[area, flow] for area in self.areas if (area, flow) in self.views)

    def of_area(self, area: str) -> tuple[View, ...]:
        return tuple(self.views[area, flow.id] for flow in self.flows if (area, flow.id) in self.views)

    def line(self, view: View) -> Line | None:
        """The series that stands for a dataset beside those of other countries."""
        return view.line(self.shared.get(view.flow.id))

    def country(self, area: str) -> Country | None:
        return self.library.countries.get(area)

    def provider(self, area: str, identifier: str) -> Provider | None:
        """A producer, national or international."""
        country = self.country(area)
        own = country.providers if country is not None else {}
        return own.get(identifier) or self.library.providers.get(identifier)


def catalogue(
    release: Release,
    library: Library,
    settings: Settings,
    *,
    formats: Mapping[str, Format],
    written: Mapping[str, Written],
    site: Path,
) -> Catalogue:
    """Look at every package once."""
    views = {(p.data.area, p.data.flow.id): _view(p, library) for p in release.packages}
    shared = {flow: _shared(v for v in views.values() if v.flow.id == flow) for _, flow in views}
    return Catalogue(release, library, settings, formats, written, site, views, shared)


def line_key(line: Line) -> LineKey:
    """What a series measures, whatever the country."""
    return tuple((dimension, code) for dimension, code in line.key.items() if dimension != "REF_AREA")


def common_period(points: Iterable[Iterable[Point]]) -> str | None:
    """The period in which most series have a figure; of several, the last."""
    count = Counter(point.at for series in points for point in series if point.value is not None)
    return max(count, key=lambda period: (count[period], order(period)), default=None)


def _view(package: Package, library: Library) -> View:
    found = lines(package.data, library)
    data = package.data
    periods = sorted({str(period) for period in data.frame["TIME_PERIOD"].unique()}, key=order)
    coded = (c.id for c in data.flow.structure.components.values() if c.codelist is not None and c.id in data.frame)
    used = {each: tuple(str(code) for code in data.frame[each].unique() if code) for each in coded}
    return View(package, found, breakdowns(data, library, found), sample(data), used, tuple(periods))


def _shared(views: Iterable[View]) -> LineKey:
    """The series that most countries have; of several, the one whose figures are the latest."""
    count: Counter[LineKey] = Counter()
    latest: dict[LineKey, str] = {}
    for view in views:
        for line in view.lines:
            key, point = line_key(line), line.latest
            if point is not None:
                count[key] += 1
                latest[key] = max(latest.get(key, ""), point.at, key=order)
    return max(count, key=lambda key: (count[key], order(latest[key])), default=())
