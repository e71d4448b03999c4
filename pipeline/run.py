"""The whole flow: read → recode → validate → protect, all tables together → describe → package → publish."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from pipeline import (
    audit,
    describe,
    previous,
    protect,
    publish,
    releases,
    report,
    reuse,
    suite,
    thresholds,
    vintages,
)
from pipeline.completeness import gaps
from pipeline.corrections import correct
from pipeline.errors import InputError
from pipeline.formats import Format
from pipeline.framework import Text
from pipeline.model import (
    Issue,
    Library,
    Observations,
    Package,
    Protected,
    Release,
    Report,
    Series,
    Settings,
)
from pipeline.package import package
from pipeline.read import read_all
from pipeline.recode import recode
from pipeline.template import completed
from pipeline.texts import texts
from pipeline.united import Key, standing, stood, united
from pipeline.validate import missing_metadata, public, validate, validate_release, validate_revision
from pipeline.workers import shared_out

log = logging.getLogger("trayecto")


def run(
    root: Path,
    library: Library,
    settings: Settings,
    *,
    formats: Mapping[str, Format],
    folder: Path,
    areas: Collection[str] = (),
    flows: Collection[str] = (),
    parts: reuse.Parts | None = None,
) -> Release:
    """Make the release in `folder`. A delivery that is not fit, or that `areas` and `flows` leave
    out, keeps what `build/public` has of it; no delivery stops another.
    """
    public, say = root / "build/public", texts("terminal", settings.language)
    past, parts = releases.past(public).before(settings.release), parts or reuse.parts(root)
    packages: list[Package] = []
    carried: dict[str, bytes] = {}  # reports of what the standing release keeps, as they were
    asked = settings.flows or library.dataflows
    every = [s for area in settings.areas for s in library.countries[area].series.values() if s.flow in asked]
    kept = {(s.area, s.flow): previous.load(public, library.dataflows[s.flow], s.area) for s in every}
    asked_for = [s for s in every if s.area in (areas or settings.areas) and s.flow in (flows or library.dataflows)]
    library, judged = judge(root, asked_for, library, day=settings.release_day, said=say["progress_reading"])
    received, reports, held_back = sorted_out(judged)
    judge_rows = suite.begin(received.values(), library)  # beside all that follows, until the verdicts are written
    old = {(area, flow): stood(each, area, flow, library) for (area, flow), each in kept.items() if each}
    left_open = {key: tuple(gaps(each, library, day=settings.release_day)) for key, each in received.items()}
    came = list(received)
    data, told = protected({key: received.pop(key) for key in came if key not in held_back}, old, library, settings)
    received.clear()
    for series in every:
        key, made = (series.area, series.flow), None
        if key in data:
            reports[key], made, revised = deliver(
                data[key],
                replace(reports[key], issues=(*reports[key].issues, *told.get(key, ()))),
                library,
                settings,
                formats=formats.values(),
                left_open=left_open[key],
                kept=kept[key],
                old=old.get(key),
            )
            carried |= revised
            if made is None:
                held_back[key] = report.reason(reports[key])
        if made is None and (stands := kept[key]):
            made = standing(stands, old[key], library, formats=formats.values())
            carried |= {vintages.path(*key): stands.revisions} if stands.revisions else {}
            if key not in reports and stands.report:
                reports[key], carried[report.record_path(*key)] = report.restored(stands.report), stands.report
        packages += [made] if made else []
    release = united(
        *(packages, reports, held_back, library, settings),
        formats=formats.values(),
        received=came,
        judge=judge_rows,
        carried=carried,
    )
    site = root / "site"
    publish.publish(release, library, settings, formats=formats, site=site, folder=folder, past=past, parts=parts)
    return release


Judged = tuple[Observations, Report] | InputError


def judge(
    root: Path, every: Sequence[Series], library: Library, *, day: str, said: str
) -> tuple[Library, Iterator[tuple[Key, Judged]]]:
    """The library with the layouts of what came as templates, and each delivery read and validated, or what stopped it.

    The deliveries are shared out over the cores, while a terminal shows how far that is.
    """
    for series in every:
        with suppress(InputError):  # told when it is received
            library = completed(root, series, library)
    keys = [(s.area, s.flow) for s in every]
    tasks = [partial(_judged, root, s, library, day) for s in every]
    return library, zip(keys, shared_out(tasks, said), strict=True)


def sorted_out(
    judged: Iterable[tuple[Key, Judged]],
) -> tuple[dict[Key, Observations], dict[Key, Report], dict[Key, Text]]:
    """What was received, the report of each delivery, and why those that cannot go out are held back."""
    received: dict[Key, Observations] = {}
    reports: dict[Key, Report] = {}
    held_back: dict[Key, Text] = {}
    for key, taken in judged:
        if isinstance(taken, InputError):
            held_back[key] = taken.text()
            continue
        received[key], reports[key] = taken
        if not reports[key].is_fit:
            held_back[key] = report.reason(reports[key])
    return received, reports, held_back


def _judged(root: Path, series: Series, library: Library, day: str) -> Judged:
    try:
        observations = receive(root, series, library)
    except InputError as error:
        return error
    return observations, validate(observations, library, day=day)


def receive(root: Path, series: Series, library: Library) -> Observations:
    """Read, correct and recode what one country delivers for one dataflow."""
    library = completed(root, series, library)
    country = library.countries[series.area]
    series = country.series[series.flow]
    tables = read_all(root / "data" / series.area, series.layouts)
    tables, corrected = correct(tables, country.corrections, area=series.area, flow=series.flow)
    tables.reverse()
    one_by_one = (tables.pop() for _ in range(len(tables)))  # a large one is not in memory beside what is made of it
    observations = recode(one_by_one, country, thresholds.flow_of(series.area, series.flow, library), library)
    if observations.ledger.balance:
        raise InputError(
            "{area} {flow}: {cells} cells are not accounted for.",
            area=series.area,
            flow=series.flow,
            cells=observations.ledger.balance,
        )
    log.info(
        "%s %s: %d cells read, %d observations, left out %s",
        series.area,
        series.flow,
        observations.ledger.read,
        observations.ledger.observations,
        dict(observations.ledger.ignored),
    )
    return replace(observations, corrections=corrected)


def protected(
    fit: dict[Key, Observations], old: Mapping[Key, Protected], library: Library, settings: Settings
) -> tuple[dict[Key, Protected], dict[Key, tuple[Issue, ...]]]:
    """All deliveries protected together, beside what stands, and what an attack on the result can tell.

    They are taken out of `fit`: a large office is not in memory twice.
    """
    deliveries = (fit.pop(key) for key in list(fit))
    made = protect.protect_all(deliveries, library, day=settings.release_day, standing=list(old.values()))
    told = audit.audit(made.tables, made.standing, made.linked, library, needs=made.needs, reach=made.reach)
    return {(each.area, each.flow.id): each for each in (*made.tables, *made.perturbed)}, told


def deliver(
    data: Protected,
    found: Report,
    library: Library,
    settings: Settings,
    *,
    formats: Iterable[Format],
    left_open: tuple[Issue, ...],
    kept: previous.Standing | None,
    old: Protected | None,
) -> tuple[Report, Package | None, dict[str, bytes]]:
    """Describe and package what is protected; nothing is packaged unless it is fit, before and after,
    and what it changes of the figures that it replaces is explained. `left_open` is what it leaves out of the minimum
    tables. Last comes the table of revisions, by path.
    """
    day, country = settings.release_day, library.countries[data.area]
    if not found.is_fit:
        return found, None, {}
    left = validate_release(data, library, day=day)
    if not left.is_fit:
        return left, None, {}
    found = public(found, data, library, day=day)
    changed = changes(data, old, kept, library, settings) if kept and old else None
    if changed:
        revised = validate_revision(changed, library, day=day)
        found = replace(found, issues=(*found.issues, *revised.issues), applied={**found.applied, **revised.applied})
        if not revised.is_fit:
            return found, None, {}
    log.info("%s %s: withheld %s", data.area, data.flow.id, dict(data.suppressed))
    description = describe.describe(data, country, library, report=found, settings=settings)
    # A delivery of what the publisher computes is described with that, and judged then.
    is_computed = data.flow.id in (library.indicators.flow, library.capacity.flow)
    told = (*found.issues, *(() if is_computed else missing_metadata(description)))
    if not replace(found, issues=told).is_fit:
        return replace(found, issues=told), None, {}
    told += left_open
    ledger = replace(found.ledger, suppressed=sum(data.suppressed.values())) if found.ledger else None
    made = package(data, description, library, formats=formats)
    record = {vintages.path(data.area, data.flow.id): vintages.written(changed)} if changed else {}
    return replace(found, issues=told, ledger=ledger), made, record


def changes(
    data: Protected, old: Protected, kept: previous.Standing, library: Library, settings: Settings
) -> vintages.Changes | None:
    """What a delivery changes of the figures that the standing release has."""
    return vintages.changes(
        data,
        old,
        library,
        notes=library.countries[data.area].revisions,
        vintage=kept.vintage,
        release=settings.release,
        published=kept.revisions,
    )
