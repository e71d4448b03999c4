"""The packages of all countries → one release: what is computed of them, and what is found between them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from pipeline import across, describe, flat, previous, protect, suite, thresholds, waivers
from pipeline.formats import Format
from pipeline.framework import Text
from pipeline.methods.made import made as made_of
from pipeline.model import (
    Compared,
    Library,
    Package,
    Protected,
    Release,
    Report,
    Settings,
    Whole,
)
from pipeline.package import package

Key = tuple[str, str]  # area, dataflow


def united(
    packages: Sequence[Package],
    reports: Mapping[Key, Report],
    held_back: Mapping[Key, Text],
    library: Library,
    settings: Settings,
    *,
    formats: Iterable[Format],
    received: Collection[Key] = (),
    judge: suite.Judge = suite.unjudged,
    carried: Mapping[str, bytes],
) -> Release:
    """Everything that one release holds.

    `received` are the deliveries of this run, which are being judged, and `carried` the reports of what is passed on,
    as they were.
    """
    made = made_of(packages, reports, library, settings, formats=formats)
    every, all_reports = made.packages, {**reports, **made.reports}
    not_out = {**held_back, **made.held_back}
    whole = wholes(every, library)
    compared = across.compare(whole, library)
    all_reports |= across.told(compared, _published(received, all_reports, not_out), whole, library)
    records = {**carried, **made.records}
    records |= _records(all_reports, whole, compared, library, day=settings.release_day)
    return Release(
        *(tuple(every), all_reports, not_out, whole, records, compared),
        *(made.answers, made.profiles, made.deliveries, judge(all_reports)),
    )


def _records(
    reports: Mapping[Key, Report],
    flows: Iterable[str],
    compared: Compared,
    library: Library,
    *,
    day: str,
) -> dict[str, bytes]:
    """What a release says of its own making beside the reports, by path."""
    records = across.records(compared, across.rules(library))
    records |= {f"reports/suites/{flow}.json": suite.write(library.dataflows[flow], library) for flow in flows}
    records |= {flat.path(*key): flat.table(each) for key, each in reports.items()}
    return records | {waivers.PATH: waivers.record(library, reports.values(), day=day)}


def _published(received: Iterable[Key], reports: Mapping[Key, Report], held_back: Collection[Key]) -> dict[Key, Report]:
    """The reports of the deliveries of this run that go out; what the release keeps stays as it was told."""
    return {key: reports[key] for key in received if key not in held_back}


def standing(kept: previous.Standing, data: Protected, library: Library, *, formats: Iterable[Format]) -> Package:
    """The package of a delivery as the standing release has it."""
    return package(data, describe.released(kept.record, library), library, formats=formats)


def stood(kept: previous.Standing, area: str, flow: str, library: Library) -> Protected:
    """The figures of a delivery as the standing release has them."""
    return protect.released(kept.table, kept.record, area, thresholds.flow_of(area, flow, library), library)


def wholes(packages: Sequence[Package], library: Library) -> dict[str, Whole]:
    """Each dataflow with all of its countries."""
    flows = dict.fromkeys(p.data.flow.id for p in packages)
    return {flow: _together([p for p in packages if p.data.flow.id == flow], library) for flow in flows}


def _together(packages: Sequence[Package], library: Library) -> Whole:
    data: Protected = protect.unite([p.data for p in packages], library)
    by_area = {p.data.area: protect.only(data, p.data.area) for p in packages}
    description = describe.united([p.description for p in packages], library)
    return Whole(data, description, {area: part for area, part in by_area.items() if len(part.frame)})
