"""Which counts are too small to publish (framework §11)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline import conditions
from pipeline.conditions import ListOf
from pipeline.framework import Dataflow


def is_count(frame: pd.DataFrame, list_of: ListOf) -> npt.NDArray[np.bool_]:
    """Rows whose unit counts persons, households, events, permits or decisions."""
    return conditions.holds(conditions.parse("UNIT_MEASURE in count=yes"), frame, list_of).to_numpy()


def threshold_persons(flow: Dataflow, frame: pd.DataFrame, list_of: ListOf) -> npt.NDArray[np.int64]:
    """For each row, the smallest count that may be published; 0 where the dataflow sets none."""
    limits = np.zeros(len(frame), dtype=np.int64)
    for threshold in reversed(flow.protection.thresholds):
        limits[conditions.holds(conditions.parse(threshold.when), frame, list_of).to_numpy()] = threshold.persons
    return limits


def is_small(flow: Dataflow, frame: pd.DataFrame, list_of: ListOf) -> npt.NDArray[np.bool_]:
    """Counts from 1 to below the threshold; zeros and missing values are not small."""
    values = frame["OBS_VALUE"].to_numpy()
    small = (values > 0) & (values < threshold_persons(flow, frame, list_of))
    return small & is_count(frame, list_of)
