"""Figures that a method made → the columns that recoding gives, so that every later stage takes them alike."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.framework import Dataflow
from pipeline.model import LINEAGE

_NUMERIC = ("OBS_VALUE", "CV", "SE", "N_OBS")


def typed(frame: pd.DataFrame, flow: Dataflow) -> pd.DataFrame:
    """The columns of the dataflow in order, coded ones as categoricals; `frame` has those of the lineage too."""
    components = flow.structure.components
    ordered: dict[str, object] = {}
    for each in components.values():
        if each.attachment == "dataset":
            continue
        if each.id in _NUMERIC:
            ordered[each.id] = frame[each.id].astype("float64") if each.id in frame else np.nan
        else:
            ordered[each.id] = frame[each.id].astype(object).fillna("") if each.id in frame else ""
    made = pd.DataFrame(ordered, index=frame.index)
    coded = {each.id: "category" for each in components.values() if each.codelist is not None and each.id in made}
    made = made.astype(coded)
    return made.assign(**{name: frame[name].astype(int) for name in LINEAGE}, text="").reset_index(drop=True)
