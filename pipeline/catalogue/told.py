"""What the published tables tell of each corridor: series of people of one country in another, by who tells them.

Only figures that stand in a published table are used; where one is withheld, so it is here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.catalogue.figures import Line, Point, point
from pipeline.catalogue.view import Catalogue, View

Corridor = tuple[str, str]  # country of origin, country of destination

_ORIGINS = ("CITIZENSHIP", "COUNTRY_BIRTH", "COUNTERPART_AREA")
_WHOLE = ("_T", "_Z", "", "NAT", "FOR")
_OUTWARD = ("STK_EMIG", "STK_HHEM", "FLW_OUT", "CRS_OUT", "REM_IN")  # told by the country that people come from
_STOCKS = ("DF_STOCK", "DF_EMIG")


@dataclass(frozen=True)
class Told:
    """One series of a corridor: the table it stands in, and the component that names the other country."""

    view: View
    line: Line
    basis: str


def told(catalogue: Catalogue) -> Mapping[Corridor, tuple[Told, ...]]:
    """Every corridor between two countries with the series that tell of it, those of the destination first."""
    found: dict[Corridor, list[Told]] = {}
    for flow in catalogue.flows:
        for view in catalogue.of_flow(flow.id):
            for other, series in _series(catalogue, view):
                is_outward = series.line.key[view.flow.structure.measure_dimension] in _OUTWARD
                pair = (view.area, other) if is_outward else (other, view.area)
                if other != view.area:
                    found.setdefault(pair, []).append(series)
    return {pair: tuple(sorted(each, key=lambda told: told.view.area != pair[1])) for pair, each in found.items()}


def stock(series: tuple[Told, ...], catalogue: Catalogue) -> tuple[Told, Point] | None:
    """The latest figure of a corridor's stock, of the source that most countries share where it tells of it."""
    shared = {code for key in catalogue.shared.values() for dimension, code in key if dimension == "SOURCE_TYPE"}
    stocks = [each for each in series if each.view.flow.id in _STOCKS and each.line.latest is not None]
    first = sorted(stocks, key=lambda each: each.line.key.get("SOURCE_TYPE") not in shared)
    if not first:
        return None
    latest = first[0].line.latest
    assert latest is not None
    return first[0], latest


def _series(catalogue: Catalogue, view: View) -> Iterator[tuple[str, Told]]:
    """(other country, series) of a table, for everyone and everything that its broadest series cover."""
    dimensions, frame = view.flow.structure.dimensions, view.package.data.frame
    bases = [each for each in _ORIGINS if each in dimensions]
    fixed = [each for each in dimensions if each not in bases]
    keys = dict.fromkeys(tuple(line.key[each] for each in fixed) for line in view.lines)
    for key in keys:
        broad = np.ones(len(frame), dtype=bool)
        for dimension, code in zip(fixed, key, strict=True):
            broad &= (frame[dimension] == code).to_numpy()
        for basis in bases:
            others = [each for each in bases if each != basis]
            rows = frame[broad & _is_country(catalogue, frame, basis) & _is_whole(frame, others)]
            for other, line in _lines(rows, basis, dimensions):
                yield other, Told(view, line, basis)


def _is_country(catalogue: Catalogue, frame: pd.DataFrame, basis: str) -> npt.NDArray[np.bool_]:
    codelist = catalogue.library.list_of(basis)
    assert codelist is not None
    return frame[basis].isin(list(codelist.select("kind=country"))).to_numpy()


def _is_whole(frame: pd.DataFrame, dimensions: list[str]) -> npt.NDArray[np.bool_]:
    whole = np.ones(len(frame), dtype=bool)
    for each in dimensions:
        whole &= frame[each].isin(_WHOLE).to_numpy()
    return whole


def _lines(rows: pd.DataFrame, basis: str, dimensions: tuple[str, ...]) -> Iterator[tuple[str, Line]]:
    """(country, series) of the rows, which differ by that country and by the period alone."""
    if rows.empty:
        return
    rows = rows.sort_values([basis, "TIME_PERIOD"], kind="stable")
    codes = rows[basis].astype(str).to_numpy()
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
    columns = {each: rows[each].astype(str).to_numpy() for each in (*dimensions, "TIME_PERIOD", "OBS_STATUS")}
    values, tables = rows["OBS_VALUE"].to_numpy(dtype=float), rows["table"].to_numpy()
    units = {each: rows[each].astype(str).to_numpy() for each in ("UNIT_MEASURE", "UNIT_MULT") if each in rows}
    for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
        at = slice(start, end)
        points = zip(columns["TIME_PERIOD"][at], values[at], columns["OBS_STATUS"][at], strict=True)
        yield (
            str(codes[start]),
            Line(
                key={each: str(columns[each][start]) for each in dimensions},
                tables=tuple(int(each) for each in np.unique(tables[at])),
                unit=str(units["UNIT_MEASURE"][start]) if "UNIT_MEASURE" in units else "",
                multiplier=str(units["UNIT_MULT"][start]) if "UNIT_MULT" in units else "",
                points=tuple(point(str(period), value, str(status)) for period, value, status in points),
            ),
        )
