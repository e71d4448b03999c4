"""Which figures are too small to publish (framework §11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline import conditions
from pipeline.conditions import ListOf
from pipeline.dominance import CONTRIBUTORS, Contributors, lacking
from pipeline.framework import Dataflow
from pipeline.model import Library
from pipeline.protection import Threshold

BALANCES = ("FLW_NET", "CRS_BAL", "CMP_ADJ")  # measures that may be below zero
_GROUP = ("FREQ", "REF_AREA", "TIME_PERIOD", "SOURCE_TYPE", "MIG_MEASURE")  # of whom a floor is the size


def flow_of(area: str, flow: str, library: Library) -> Dataflow:
    """A dataflow as a country delivers it: protected as its law asks."""
    series = library.countries[area].series.get(flow) if area in library.countries else None
    base = library.dataflows[flow]
    return replace(base, protection=series.protection) if series and series.protection else base


def is_count(frame: pd.DataFrame, list_of: ListOf) -> npt.NDArray[np.bool_]:
    """Rows whose unit counts persons, households, events, permits or decisions."""
    return conditions.holds(conditions.parse("UNIT_MEASURE in count=yes"), frame, list_of).to_numpy()


def threshold_persons(flow: Dataflow, frame: pd.DataFrame, list_of: ListOf) -> npt.NDArray[np.int64]:
    """For each row, the smallest count that may be published; 0 where the dataflow sets none."""
    limits = _limits(flow.protection.thresholds, frame, list_of)
    return np.maximum(limits, _limits(flow.protection.national, frame, list_of))


def _limits(thresholds: Sequence[Threshold], frame: pd.DataFrame, list_of: ListOf) -> npt.NDArray[np.int64]:
    limits = np.zeros(len(frame), dtype=np.int64)
    for threshold in reversed(thresholds):
        limits[conditions.holds(conditions.parse(threshold.when), frame, list_of).to_numpy()] = threshold.persons
    return limits


def is_small(flow: Dataflow, frame: pd.DataFrame, list_of: ListOf) -> npt.NDArray[np.bool_]:
    """Counts, or balances of counts, from 1 to below the threshold on either side of zero.

    Zeros and missing values are not small. A figure in thousands is taken at its full size.
    """
    values = np.abs(frame["OBS_VALUE"].to_numpy(dtype=np.float64))
    if "UNIT_MULT" in frame:
        codes, powers = pd.factorize(frame["UNIT_MULT"])
        factors = [10.0 ** int(power) if str(power).lstrip("-").isdecimal() else 1.0 for power in powers]
        values = values * np.array([*factors, 1.0])[codes]
    small: npt.NDArray[np.bool_] = (values > 0) & (values < threshold_persons(flow, frame, list_of))
    return small & is_count(frame, list_of)


def lacks(flow: Dataflow, frame: pd.DataFrame, list_of: ListOf) -> npt.NDArray[np.float64]:
    """For each amount that one contributor dominates, the doubt about it that must be left; 0 for every other."""
    found = np.zeros(len(frame))
    if not flow.protection.magnitudes or not {*CONTRIBUTORS} & {*frame.columns}:
        return found
    unknown = np.full(len(frame), np.nan)
    of = Contributors(*(frame[each].to_numpy(float) if each in frame else unknown for each in CONTRIBUTORS))
    for each in flow.protection.magnitudes:
        rows = conditions.holds(conditions.parse(each.when), frame, list_of).to_numpy() & ~is_count(frame, list_of)
        lacking_ = lacking(frame["OBS_VALUE"].to_numpy(dtype=np.float64), of, [each.rule])
        found = np.maximum(found, np.where(rows, lacking_, 0.0))
    return found


def may_be_negative(flow: Dataflow, frame: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Figures that are a balance of others. No other figure is below zero (DOM-10)."""
    return frame[flow.structure.measure_dimension].isin(BALANCES).to_numpy()


def is_forbidden(flow: Dataflow, frame: pd.DataFrame, list_of: ListOf) -> npt.NDArray[np.bool_]:
    """Figures that are not published at any size: crossings too fine for what they tell, detail of groups too small
    for it, and lines that say of all of a group the same (CNF-03). A group whose total is not in the table is not
    known to be small.
    """
    found = np.zeros(len(frame), dtype=bool)
    for when in flow.protection.forbidden:
        found |= conditions.holds(conditions.parse(when), frame, list_of).to_numpy()
    for floor in flow.protection.floors:
        group = [name for name in _GROUP if name in frame]
        size = frame["OBS_VALUE"].where(frame[floor.of] == floor.total)
        whole = size.groupby([frame[name] for name in group], observed=True).transform("max")
        detail = conditions.holds(conditions.parse(floor.when), frame, list_of)
        found |= (detail & (whole < floor.persons)).to_numpy()
    return found | _is_full(flow, frame, list_of)


def _is_full(flow: Dataflow, frame: pd.DataFrame, list_of: ListOf) -> npt.NDArray[np.bool_]:
    """Figures of sensitive kinds, in lines where one kind has all of the group and others are published as none.

    The zeros are marked too: with them alone the line would still say of what kind all are.
    """
    found = np.zeros(len(frame), dtype=bool)
    for full in flow.protection.full_cells:
        value, codes = frame["OBS_VALUE"], frame[full.of].astype("str")
        line = [frame[name] for name in flow.structure.key if name != full.of]
        total = value.where(codes == full.total).groupby(line, observed=True).transform("max")
        kind = (codes != full.total) & conditions.holds(conditions.parse(full.when), frame, list_of)
        all_of_them, none = (
            (kind & each).groupby(line, observed=True).transform("any") for each in (value == total, value == 0)
        )
        found |= (kind & all_of_them & none & (total > 0) & value.notna()).to_numpy()
    return found


def is_withheld(frame: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Figures that have no value because they are confidential."""
    hidden: npt.NDArray[np.bool_] = (frame["OBS_VALUE"].isna() & ~frame["CONF_STATUS"].isin(["F", ""])).to_numpy()
    return hidden


def has_few_cases(flow: Dataflow, frame: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Estimates that rest on fewer sample cases than the dataflow asks for; without a sample, none."""
    if "N_OBS" not in frame:
        return np.zeros(len(frame), dtype=bool)
    cases = pd.to_numeric(frame["N_OBS"], errors="coerce")
    few: pd.Series[bool] = cases < flow.protection.minimum_cases
    return (few & frame["OBS_VALUE"].notna()).to_numpy(dtype=np.bool_)
