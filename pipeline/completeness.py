"""What a delivery could still have: the cells of its minimum tables (CMP-01) and newer metadata (MET-02)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import prod

import pandas as pd

from pipeline.framework import Dataflow
from pipeline.model import Country, Issue, Library, Observations

_UPDATED = "META_LAST_UPDATE"
_AGE_MONTHS = 24
_DATE = re.compile(r"(\d{4})-(\d{2})(?:-\d{2})?")


def gaps(observations: Observations, library: Library, *, day: str) -> Iterator[Issue]:
    """The notes and warnings of one delivery that are about no cell of a table. `day` is the release date."""
    area, flow = observations.area, observations.flow
    shares = filled(observations, library)
    if any(share < 1 for share in shares.values()):
        told = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
        yield Issue("CMP-01", "I", area, flow.id, told, ", ".join(shares))
    yield from _outdated(library.countries[area], flow.id, day)


def filled(observations: Observations, library: Library) -> Mapping[str, float]:
    """By minimum table (framework §3.2) that is asked of the country, the share of its cells that have a figure in its
    fullest period.
    """
    frame, found = observations.frame, {}
    for name in observations.flow.minimum_tables:
        wanted = asked(observations.flow, name, observations.area, library)
        if not all(wanted.values()):
            continue  # of a country without the parts that the table is by, nothing is asked
        cells = given(frame, wanted, frame["OBS_VALUE"].notna())
        fullest = cells.groupby("TIME_PERIOD", observed=True).size().max() if len(cells) else 0
        found[name] = int(fullest) / prod(map(len, wanted.values()))
    return found


def asked(flow: Dataflow, table: str, area: str, library: Library) -> dict[str, frozenset[str]]:
    """The codes of each dimension that a minimum table asks of a country."""
    areas = library.list_of("REF_AREA")
    own = frozenset(areas.descendants(area)) if areas else frozenset()
    return {
        component: codes & own if component == "REF_AREA" else codes
        for component, codes in flow.minimum_tables[table].items()
    }


def given(frame: pd.DataFrame, wanted: Mapping[str, frozenset[str]], rows: pd.Series[bool]) -> pd.DataFrame:
    """The distinct cells of a minimum table among some rows, by period."""
    inside = rows.copy()
    for component, codes in wanted.items():
        inside &= frame[component].isin(list(codes)) if component in frame else False
    columns = ["TIME_PERIOD", *(component for component in wanted if component in frame)]
    return frame.loc[inside, columns].drop_duplicates()


def _outdated(country: Country, flow: str, day: str) -> Iterator[Issue]:
    """MET-02: the country says when its metadata were last updated, and that is long ago, or says it unclearly."""
    series = country.series.get(flow)
    text = (series.metadata.get(_UPDATED) if series else None) or country.metadata.get(_UPDATED)
    if text is None:
        return  # the day of the release stands in its place
    date = _DATE.fullmatch(text["en"])
    months = (int(day[:4]) - int(date[1])) * 12 + int(day[5:7]) - int(date[2]) if date else _AGE_MONTHS + 1
    if months > _AGE_MONTHS:
        yield Issue("MET-02", "W", country.area, flow, text["en"], str(_AGE_MONTHS))
