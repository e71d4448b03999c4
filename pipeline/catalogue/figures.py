"""Which figures of a table are shown: its broadest series, and how the latest of them is made up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.catalogue import periods
from pipeline.checks.finding import key_numbers
from pipeline.framework import Codelist
from pipeline.model import Library, Protected

Ranks = npt.NDArray[np.int64]

_WHOLE = ("_T", "_Z", "")
_RESIDUAL = ("_U", "_O", "FOR_U", "FOR_O")
_ORIGINS = ("CITIZENSHIP", "COUNTRY_BIRTH", "COUNTERPART_AREA")
_IN_LIST_ORDER = ("AGE", "DURATION", "EDUCATION_LEV")
_NOT_NATIONAL = ("ORG", "MIR")
_MAX_LINES = 6  # of one source and measure; more would be a breakdown, not a total
_MAX_PANELS = 2  # of one dimension, so that two sources can stand side by side
_MAX_BARS = 10
_MAX_EARLIER = 4  # periods beside the latest one
_CELL = ("TIME_PERIOD", "OBS_VALUE", "OBS_STATUS", "UNIT_MEASURE", "UNIT_MULT", "table")


@dataclass(frozen=True)
class Point:
    """A figure of one period or code. Without a value, `status` says why: Q is suppressed."""

    at: str
    value: float | None
    status: str

    @property
    def is_suppressed(self) -> bool:
        return self.value is None and self.status == "Q"


@dataclass(frozen=True)
class Line:
    """A time series: dimension → code, the tables it came from, its unit, its points in order of time."""

    key: Mapping[str, str]
    tables: tuple[int, ...]
    unit: str
    multiplier: str
    points: tuple[Point, ...]

    @property
    def latest(self) -> Point | None:
        """The last point that has a value."""
        return next((point for point in reversed(self.points) if point.value is not None), None)


@dataclass(frozen=True)
class Breakdown:
    """The figures of one period by the codes of one dimension. `codes` counts those not shown too."""

    dimension: str
    key: Mapping[str, str]
    tables: tuple[int, ...]
    period: str
    unit: str
    multiplier: str
    points: tuple[Point, ...]
    codes: int
    suppressed: int
    earlier: tuple[tuple[str, Mapping[str, Point]], ...] = ()  # periods before, the latest first: code → figure


def lines(data: Protected, library: Library) -> tuple[Line, ...]:
    """The broadest series of each source and measure, national sources first.

    Broadest means: every breakdown at its total, or as near to it as the table goes. Of the
    resident population the part that is shown is the foreign one.
    """
    dimensions, frame = data.flow.structure.dimensions, data.frame
    groups = tuple(_groups(data))
    score = sum((_ranks(data, each, library) for each in _breakdowns(data)), np.zeros(len(frame), dtype=np.int64))
    score += 4 * _is_whole_population(data)
    least = pd.Series(score).groupby(key_numbers(frame, groups)).transform("min")
    top = frame.loc[score == least.to_numpy(), [each for each in (*dimensions, *_CELL) if each in frame]]
    found: list[Line] = []
    for source in _split(top, groups):
        if source[list(dimensions)].drop_duplicates().shape[0] <= _MAX_LINES:
            found.extend(_line(dimensions, rows) for rows in _split(source, dimensions))
    return tuple(sorted(found, key=lambda line: line.key.get("SOURCE_TYPE") in _NOT_NATIONAL))


def breakdowns(data: Protected, library: Library, totals: tuple[Line, ...]) -> tuple[Breakdown, ...]:
    """The latest figures by each dimension, all others as in one of the series of `totals`.

    A source without any total is broken down where all its other dimensions are at theirs.
    """
    frame = data.frame
    dimensions = _breakdowns(data)
    fine = {each: ~_is_broad(data, each, totals) for each in dimensions}
    several = sum((mask.astype(np.int64) for mask in fine.values()), np.zeros(len(frame), dtype=np.int64))
    columns = [each for each in (*data.flow.structure.dimensions, *_CELL) if each in frame]
    found: list[Breakdown] = []
    for dimension in dimensions:
        rows = frame.loc[fine[dimension] & (several == 1), columns]
        found.extend(_distinct(_panels(data, rows, dimension, library, totals)) if len(rows) else ())
    return tuple(sorted(found, key=lambda each: -each.codes))


def point(at: str, value: float, status: str) -> Point:
    """A cell of the table; NaN is no value."""
    return Point(at, None if np.isnan(value) else float(value), status)


def _split(frame: pd.DataFrame, columns: tuple[str, ...]) -> Iterator[pd.DataFrame]:
    """The rows of each distinct combination of the columns, in the order in which they first stand."""
    if frame.empty:
        return
    numbers = key_numbers(frame, columns)
    ordered = frame.iloc[np.argsort(numbers, kind="stable")]
    ends = np.cumsum(np.bincount(numbers)).tolist()
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        yield ordered.iloc[start:end]


def _groups(data: Protected) -> list[str]:
    """The dimensions that say whose figure of what it is: never a breakdown."""
    wanted = ("FREQ", "SOURCE_TYPE", data.flow.structure.measure_dimension)
    return [each for each in wanted if each in data.flow.structure.dimensions]


def _breakdowns(data: Protected) -> list[str]:
    return [each for each in data.flow.structure.dimensions if each not in _groups(data)]


def _ranks(data: Protected, dimension: str, library: Library) -> Ranks:
    """For every row, how far its code is from the total of the dimension."""
    column = data.frame[dimension]
    codelist = library.list_of(dimension)
    ranks = [_rank(str(code), dimension, data.area, codelist) for code in column.cat.categories]
    return np.array([*ranks, 0], dtype=np.int64)[column.cat.codes.to_numpy()]


def _rank(code: str, dimension: str, area: str, codelist: Codelist | None) -> int:
    if dimension == "REF_AREA":
        return 0 if code == area else 5
    if code in _WHOLE:
        return 0
    depth = max(1, len(codelist.ancestors(code)) - 1) if codelist is not None else 1
    return depth + (code in _RESIDUAL) + (code == "NAT")


def _is_whole_population(data: Protected) -> Ranks:
    """1 where the figure counts all residents, migrants or not."""
    frame = data.frame
    origins = [each for each in ("CITIZENSHIP", "COUNTRY_BIRTH") if each in frame]
    if "MIG_MEASURE" not in frame or not origins:
        return np.zeros(len(frame), dtype=np.int64)
    whole = (frame["MIG_MEASURE"] == "STK_POP").to_numpy()
    for each in origins:
        whole = whole & frame[each].isin(_WHOLE).to_numpy()
    return whole.astype(np.int64)


def _line(dimensions: tuple[str, ...], rows: pd.DataFrame) -> Line:
    rows = rows.sort_values("TIME_PERIOD", kind="stable")
    first = rows.iloc[0]
    points = zip(rows["TIME_PERIOD"].astype(str), rows["OBS_VALUE"], rows["OBS_STATUS"].astype(str), strict=True)
    return Line(
        key={each: str(first[each]) for each in dimensions},
        tables=tuple(int(each) for each in sorted(rows["table"].unique())),
        unit=str(first.get("UNIT_MEASURE", "")),
        multiplier=str(first.get("UNIT_MULT", "")),
        points=tuple(point(*each) for each in points),
    )


def _is_broad(data: Protected, dimension: str, totals: tuple[Line, ...]) -> npt.NDArray[np.bool_]:
    if dimension == "REF_AREA":
        return (data.frame[dimension] == data.area).to_numpy()
    return data.frame[dimension].isin([*_WHOLE, *(line.key[dimension] for line in totals)]).to_numpy()


def _panels(
    data: Protected, rows: pd.DataFrame, dimension: str, library: Library, totals: tuple[Line, ...]
) -> Iterator[Breakdown]:
    """Breakdowns by one dimension, in the order of the series that they break down."""
    others = [each for each in data.flow.structure.dimensions if each != dimension]
    allowed = [tuple(line.key[each] for each in others) for line in totals]
    with_total = {tuple(line.key[each] for each in _groups(data)) for line in totals}
    candidates = []
    for part in _split(rows, tuple(others)):
        key = {each: str(part[each].iloc[0]) for each in others}
        if tuple(key.values()) in allowed:
            candidates.append((allowed.index(tuple(key.values())), key, part))
        elif tuple(key[each] for each in _groups(data)) not in with_total and _is_total(key, data):
            candidates.append((len(allowed), key, part))
    for _, key, part in sorted(candidates, key=lambda each: each[0]):
        panel = _breakdown(dimension, key, part, library.list_of(dimension))
        if panel is not None:
            yield panel


def _distinct(panels: Iterator[Breakdown]) -> list[Breakdown]:
    """The first of each source; where people come from, the first of each series. Never the same twice by frequency."""
    kept: dict[tuple[str, ...], Breakdown] = {}
    for panel in panels:
        silent = (
            ("FREQ",) if panel.dimension in _ORIGINS else tuple(each for each in panel.key if each != "SOURCE_TYPE")
        )
        kept.setdefault(tuple(code for each, code in panel.key.items() if each not in silent), panel)
    return list(kept.values())[:_MAX_PANELS]


def _is_total(key: Mapping[str, str], data: Protected) -> bool:
    return all(key[each] in (*_WHOLE, data.area) for each in key if each in _breakdowns(data))


def _breakdown(
    dimension: str, key: Mapping[str, str], rows: pd.DataFrame, codelist: Codelist | None
) -> Breakdown | None:
    """The latest period with figures; codes that add up others of the same table are left out."""
    filled = rows[rows["OBS_VALUE"].notna()]
    if filled.empty or codelist is None:
        return None
    dated = sorted((str(each) for each in filled["TIME_PERIOD"].unique()), key=periods.order, reverse=True)
    at = _at(rows, dated[0])
    at = at[at[dimension].isin(_shown(at, dimension, codelist))]
    points = list(_points(at, dimension).values())
    if len(points) < 2:
        return None
    shown = _ordered(points, dimension, codelist)
    first = at.iloc[0]
    return Breakdown(
        dimension=dimension,
        key=key,
        tables=tuple(int(each) for each in sorted(at["table"].unique())),
        period=dated[0],
        unit=str(first.get("UNIT_MEASURE", "")),
        multiplier=str(first.get("UNIT_MULT", "")),
        points=tuple(shown),
        codes=len(points),
        suppressed=sum(each.is_suppressed for each in points),
        earlier=tuple((each, _points(_at(rows, each), dimension)) for each in dated[1 : _MAX_EARLIER + 1]),
    )


def _at(rows: pd.DataFrame, period: str) -> pd.DataFrame:
    return rows[(rows["TIME_PERIOD"] == period).to_numpy()]


def _points(rows: pd.DataFrame, dimension: str) -> dict[str, Point]:
    """The figures of one period, by the codes of a dimension."""
    cells = zip(rows[dimension].astype(str), rows["OBS_VALUE"], rows["OBS_STATUS"].astype(str), strict=True)
    return {str(cell[0]): point(*cell) for cell in cells}


def _ordered(points: list[Point], dimension: str, codelist: Codelist) -> list[Point]:
    """In the order of the list where it means something; else by size, and of many the largest."""
    if dimension in _IN_LIST_ORDER:
        order = {code: number for number, code in enumerate(codelist.codes)}
        return sorted(points, key=lambda each: order.get(each.at, 0))
    by_size = sorted(points, key=lambda each: float("inf") if each.value is None else -each.value)
    return by_size if len(points) <= _MAX_BARS else [each for each in by_size if each.value][:_MAX_BARS]


def _shown(rows: pd.DataFrame, dimension: str, codelist: Codelist) -> list[str]:
    """Countries of an origin, the broadest groups of any other list."""
    used = [str(code) for code in rows[dimension].unique()]
    if dimension in _ORIGINS:
        countries = [
            code for code in used if code in codelist.codes and codelist.codes[code].notes.get("kind") == "country"
        ]
        return countries or used
    return [code for code in used if not set(codelist.ancestors(code)[1:]) & set(used)]
