"""Agreements as data → what each has brought, and what is late (framework §0, coordination; §8).

The last delivery is what the release has of the provider's own figures. What is expected next rests on the first
that is known of: what was agreed, the calendar of releases, or the usual interval between the periods delivered.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from statistics import median

import pandas as pd

from pipeline import elapsed, provision
from pipeline.delivered import Basis, Delivery, State
from pipeline.framework import LANGUAGES, Agreement, Planned
from pipeline.model import Library, Package
from pipeline.plain import as_csv, as_json

DELIVERIES, LATE = "coordination/deliveries.csv", "coordination/late.json"
_PERIOD = re.compile(r"\d{4}(?:-Q[1-4]|-(?:0[1-9]|1[0-2]))?")
_FEWEST_PERIODS = 3  # of which the usual interval can be told
_LATE: Collection[State] = ("late", "overdue")


def deliveries(
    packages: Iterable[Package], library: Library, *, areas: Iterable[str], day: str
) -> tuple[Delivery, ...]:
    """Every agreement and dataflow of the countries of a release, by country, in the order of their agreements."""
    found = {(each.data.area, each.data.flow.id): each for each in packages}
    return tuple(
        _delivery(Delivery(area, flow, agreement), found.get((area, flow)), library.planned, day=day)
        for area in areas
        for agreement in library.countries[area].exchanges
        for flow in agreement.flows
    )


def _delivery(of: Delivery, package: Package | None, planned: Iterable[Planned], *, day: str) -> Delivery:
    """An agreement and dataflow with its last delivery, and what is expected next."""
    agreement = of.agreement
    periods = _periods(package, agreement.provider) if package is not None else []
    last = periods[-1] if periods else ""
    interval, basis = _interval(agreement, periods)
    next_end, due = _next(agreement, last, interval)
    announced = _announced(planned, of, last, day)
    if announced is not None:
        basis, due = "calendar", announced.date
    return replace(
        of,
        last_period=last,
        last_release=package.description.last_update if package is not None and last else "",
        interval=interval,
        basis=basis,
        next_period_ends=next_end,
        due=due,
        state=_state(last, interval, due, next_end, day),
        is_expired=bool(agreement.until) and agreement.until < day[: len(agreement.until)],
    )


def _periods(package: Package, provider: str) -> list[str]:
    """The periods of the figures that came from a provider, by their ends."""
    tables = [number for number, source in enumerate(package.data.sources) if source.provider == provider]
    frame = package.data.frame
    own = frame.loc[frame["table"].isin(tables), "TIME_PERIOD"]
    return sorted((str(period) for period in own.unique()), key=lambda period: (elapsed.end(period), period))


def _interval(agreement: Agreement, periods: list[str]) -> tuple[int, Basis]:
    """Months between two deliveries: as agreed, or as they usually come."""
    if agreement.every_months:
        return agreement.every_months, "agreement"
    ends = list(dict.fromkeys(elapsed.end(period) for period in periods))
    if len(ends) < _FEWEST_PERIODS:
        return 0, ""
    apart = [12 * (b.year - a.year) + b.month - a.month for a, b in pairwise(ends)]
    return max(1, round(median(apart))), "habit"


def _announced(planned: Iterable[Planned], of: Delivery, last: str, day: str) -> Planned | None:
    """The first release that the calendar announces and that has not come: its period is after the last one."""
    for each in planned:
        if (each.area, each.flow) == (of.area, of.flow) and _is_open(each, last, day):
            return each
    return None


def _is_open(planned: Planned, last: str, day: str) -> bool:
    """Whether a planned release has not come: its period is after the last one or, where it names none, its day."""
    if not _PERIOD.fullmatch(planned.period):
        return planned.date > day
    return not last or elapsed.end(planned.period) > elapsed.end(last)


def _next(agreement: Agreement, last: str, interval: int) -> tuple[str, str]:
    """The day on which the next period ends and the day on which it is due; blank where nothing tells."""
    if not last or not interval:
        return "", ""
    ends = elapsed.end(last).to_period("M") + interval
    if not agreement.within_months:
        return _day(ends), ""
    return _day(ends), _day(ends + agreement.within_months)


def _day(month: pd.Period) -> str:
    return str(month.end_time.date())


def _state(last: str, interval: int, due: str, next_end: str, day: str) -> State:
    if due:
        return "late" if due < day else "waiting"
    if not last:
        return "none"
    if not interval:
        return "unknown"
    silent = str((pd.Period(next_end, "M") + interval).end_time.date())
    return "overdue" if silent < day else "waiting"


def late(found: Iterable[Delivery]) -> list[Delivery]:
    """What should have come and has not, the day that passed first before the others."""
    return sorted((each for each in found if each.state in _LATE), key=lambda e: (e.due or e.next_period_ends, e.area))


def expected(found: Iterable[Delivery], library: Library, *, day: str) -> tuple[Planned, ...]:
    """Deliveries whose day was agreed and is still to come, as the calendar of releases has them."""
    agreed = (each for each in found if each.basis == "agreement" and each.due > day)
    days = {
        (each.due, each.area, each.flow): Planned(
            each.due, each.area, each.flow, each.next_period_ends[:7], library.phrases["delivery_agreed"]
        )
        for each in agreed
    }
    return tuple(days[key] for key in sorted(days))


# ---------------------------------------------------------------- records


def records(found: Collection[Delivery], *, release: str) -> Iterator[tuple[str, bytes]]:
    """Yield (path, content): every agreement with its last delivery, and what is late."""
    yield DELIVERIES, as_csv(_HEADER, (_row(each) for each in found))
    yield LATE, as_json({"release": release, "late": [_record(each) for each in late(found)]})


_HEADER = (
    *("AREA", "DATAFLOW", "PROVIDER", "PARTIES", "PROVISION_AGREEMENT"),
    *(f"LEGAL_BASIS_{lang.upper()}" for lang in LANGUAGES),
    *("TEXT", "SOURCE", "SINCE", "UNTIL", "IS_EXPIRED", "EVERY_MONTHS", "WITHIN_MONTHS"),
    *("LAST_PERIOD", "LAST_RELEASE", "INTERVAL_MONTHS", "BASIS", "NEXT_PERIOD_ENDS", "DUE", "STATE"),
)


def agreement(each: Delivery) -> str:
    """The SDMX provision agreement of a delivery."""
    return provision.identifier(each.flow, each.area, each.agreement.provider)


def _row(each: Delivery) -> list[object]:
    of = each.agreement
    known = [of.text, of.source, of.since, of.until, "yes" if each.is_expired else "", of.every_months or ""]
    parties, basis = " ".join(of.parties), (of.basis.get(lang, "") for lang in LANGUAGES)
    about = [each.area, each.flow, of.provider, parties, agreement(each), *basis, *known, of.within_months or ""]
    expected = [each.interval or "", each.basis, each.next_period_ends, each.due, each.state]
    return [*about, each.last_period, each.last_release, *expected]


def _record(each: Delivery) -> dict[str, object]:
    return {
        "area": each.area,
        "dataflow": each.flow,
        "provider": each.agreement.provider,
        "agreement": agreement(each),
        "last_period": each.last_period,
        "last_release": each.last_release,
        "interval_months": each.interval,
        "basis": each.basis,
        "next_period_ends": each.next_period_ends,
        "due": each.due,
        "state": each.state,
    }
