"""Percentages, rates and means that would tell a withheld count (framework §11).

A percentage of a published total is a count, and a mean times a count is a sum: whoever has both can turn them
round. So a rate goes out only where everything that it can be turned into is published, or where no count near
it is withheld.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline import conditions
from pipeline.checks.finding import Mask, Numbers, Table, key_numbers
from pipeline.thresholds import is_count, threshold_persons

COUNTED = "SOURCE_TYPE in CEN ADM/"  # sources that count persons one by one
_GROUP = ("FREQ", "REF_AREA", "SOURCE_TYPE", "TIME_PERIOD")  # whom a rate is of, and when
_SCALES = {"PT": 100.0, "PER_1000_POP": 1_000.0, "PER_100000_POP": 100_000.0, "PER_100000_EMP": 100_000.0}
_ANY, _NONE = "_T", ("_Z", "")
_TOTALS = (_ANY, "FOR")
_ABOUT = ("table", "value", "scale", "threshold", "is_count", "is_rate", "is_counted", "is_withheld")

Vector = npt.NDArray[np.float64]


def telling(tables: Sequence[Table], hidden: Sequence[Mask]) -> tuple[Mask, ...]:
    """For each table, the rates that would tell a count.

    `hidden` marks the rows whose figure is not in the release. A rate is marked where a count of the same key is
    withheld, or one of the totals of that key. Where sources count persons one by one it is marked also when its
    own count or one of its totals is not in the release at all, and a count of the same area and period is
    withheld, or what the rate and a total give is itself a small count.
    """
    if not any(_is_rate(table).any() for table in tables):
        return tuple(np.zeros(len(table.frame), dtype=bool) for table in tables)
    rows = pd.concat([_told(n, table, mask) for n, (table, mask) in enumerate(zip(tables, hidden, strict=True))])
    rows = rows.reset_index(drop=True)
    marked = np.zeros(len(rows), dtype=bool)
    marked[np.flatnonzero(rows["is_rate"])] = _marked(rows, _parents(tables))
    return tuple(marked[(rows["table"] == number).to_numpy()] for number in range(len(tables)))


def _told(number: int, table: Table, hidden: Mask) -> pd.DataFrame:
    """The key of each row as text without its measure, its figure, and what is known of it."""
    frame, flow, list_of = table.frame, table.flow, table.library.list_of
    key = [each for each in flow.structure.key if each != flow.structure.measure_dimension]
    found = pd.DataFrame({each: frame[each].astype("str") for each in key})
    found = found.mask(found.isin(_NONE), _ANY)
    count = is_count(frame, list_of)
    return found.assign(
        table=number,
        value=np.where(hidden, np.nan, frame["OBS_VALUE"].to_numpy(dtype=np.float64)),
        scale=frame["UNIT_MEASURE"].astype("str").map(_SCALES) if "UNIT_MEASURE" in frame else np.nan,
        threshold=threshold_persons(flow, frame, list_of),
        is_count=count,
        is_rate=_is_rate(table),
        is_counted=conditions.holds(conditions.parse(COUNTED), frame, list_of).to_numpy(),
        is_withheld=count & hidden,
    )


def _parents(tables: Sequence[Table]) -> dict[str, dict[str, str]]:
    components = {c.id: c.codelist for table in tables for c in table.flow.structure.of_role("dimension")}
    lists = ((name, codelist) for name, codelist in components.items() if codelist is not None)
    return {name: {code.id: code.parent for code in codelist.codes.values()} for name, codelist in lists}


def _is_rate(table: Table) -> Mask:
    """Figures that are no counts, of a dataflow that protects what it counts."""
    frame = table.frame
    if table.flow.protection.method == "none" or "UNIT_MEASURE" not in frame:
        return np.zeros(len(frame), dtype=bool)
    has_value: Mask = frame["OBS_VALUE"].notna().to_numpy()
    return has_value & ~is_count(frame, table.library.list_of)


def _marked(rows: pd.DataFrame, parents: Mapping[str, Mapping[str, str]]) -> Mask:
    """The verdict on each rate, in order. `parents` has the lists of codes: dimension → code → the code above it."""
    key = [str(each) for each in rows.columns if each not in _ABOUT]
    rows = rows.fillna(dict.fromkeys(key, _ANY))
    rates, counts = rows[rows["is_rate"]], rows[rows["is_count"]]
    has_scale = rates["scale"].notna().to_numpy()
    own = _of(rates[key], counts, key)
    marked = own["is_withheld"].to_numpy(dtype=bool, copy=True)
    is_loose = own["value"].isna().to_numpy(copy=True)
    is_small = np.zeros(len(rates), dtype=bool)
    for dimension in (each for each in key if each not in _GROUP):
        for is_part, codes in _wholes(rates[dimension], parents.get(dimension, {})):
            whole = _of(rates[key].assign(**{dimension: codes}), counts, key)
            marked |= is_part & whole["is_withheld"].to_numpy(dtype=bool)
            is_loose |= is_part & has_scale & whole["value"].isna().to_numpy() & codes.isin(_TOTALS).to_numpy()
            is_small |= is_part & _is_small(rates, whole["value"].to_numpy(dtype=np.float64))
    is_near = rows["is_withheld"].copy()
    is_near[rows["is_rate"]] = is_loose & is_small & rates["is_counted"].to_numpy()
    beside = is_near.groupby([rows[each] for each in _GROUP if each in key]).transform("any")
    beside_them = beside[rows["is_rate"]].to_numpy(dtype=bool)
    return np.asarray(marked | (is_loose & beside_them & rates["is_counted"].to_numpy()), dtype=bool)


def _wholes(column: pd.Series[str], parent: Mapping[str, str]) -> Iterator[tuple[Mask, pd.Series[str]]]:
    """What the code of each rate may be a part of: the total, all foreigners, and each code above it."""
    for total in _TOTALS:
        if total == _ANY or total in parent:
            is_part = ~column.isin([_ANY, total]).to_numpy()
            if is_part.any():
                yield is_part, pd.Series(total, index=column.index)
    above = column.map(parent).fillna("")
    while (is_part := ((above != "") & (above != _ANY)).to_numpy()).any():
        yield is_part, above
        above = above.map(parent).fillna("")


def _of(wanted: pd.DataFrame, counts: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    """For each wanted key, the count that the release has (NaN for none) and whether one is withheld."""
    numbers: Numbers = key_numbers(pd.concat([wanted, counts[list(key)]], ignore_index=True), tuple(key))
    by_key = counts.groupby(numbers[len(wanted) :]).agg(value=("value", "max"), is_withheld=("is_withheld", "any"))
    return by_key.reindex(numbers[: len(wanted)]).fillna({"is_withheld": False})


def _is_small(rates: pd.DataFrame, whole: Vector) -> Mask:
    """Rates of a published total that make a small count, or leave one."""
    implied = np.rint(rates["value"].to_numpy() / rates["scale"].to_numpy() * whole)
    limit = rates["threshold"].to_numpy()
    with np.errstate(invalid="ignore"):
        small: Mask = ((implied > 0) & (implied < limit)) | ((whole - implied > 0) & (whole - implied < limit))
    return small
