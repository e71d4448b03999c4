"""Answers and evidence of one country → the observations of the capacity assessment.

The cells of the table are the rows of the country's `capacity.csv` and of the list of items.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from pipeline.assessed import ANSWERED, DERIVED, NOT_APPLICABLE, Assessed, Capacity, Profile, Reply, worth
from pipeline.framework import Text
from pipeline.methods.typed import typed
from pipeline.model import Ledger, Library, Observations, Origin

_ANSWER_COLUMN, _DERIVE_COLUMN = 3, 13
_CANNOT_EXIST, _MISSING, _PROVISIONAL, _NORMAL = "M", "O", "P", "A"


def items_file(library: Library) -> str:
    """The list of items below the root of an office."""
    codelist = library.dataflows[library.capacity.flow].structure.components["CAP_ITEM"].codelist
    assert codelist is not None
    return f"codelists/{codelist.agency}/{codelist.id}-{codelist.version}.csv"


def observations(
    profiles: Iterable[Profile], replies: Mapping[str, tuple[Reply, ...]], year: str, library: Library
) -> list[Observations]:
    """What countries answered, each in its year, and what their tables show, in the `year` of the release."""
    capacity = library.capacity
    flow = library.dataflows[capacity.flow]
    every, about = tuple(profiles), (capacity.provider, capacity.licence)
    rows = [_derived(of.area, each, year) for of in every for each in of.items if each.derived is not None]
    rows += [_answered(of.area, each, capacity, library.phrases) for of in every for each in replies.get(of.area, ())]
    frame = pd.DataFrame(rows, columns=[*_COLUMNS])
    said = frame.assign(
        FREQ="A",
        OBS_VALUE=frame["OBS_VALUE"].astype(np.float64),
        CONF_STATUS="F",
        UNIT_MEASURE="SCORE",
        UNIT_MULT="0",
        DECIMALS="1",
        TIME_PER_COLLECT="E",
    )
    made = typed(said, flow)
    derived = Origin(items_file(library), "", capacity.sha256, *about, {}, {_DERIVE_COLUMN: "derive"})
    found = []
    for of in every:
        own = made[made["REF_AREA"] == of.area].reset_index(drop=True)
        answered = Origin(f"metadata/national/{of.area}/capacity.csv", "", "", *about, {}, {_ANSWER_COLUMN: "answer"})
        origins = (derived, answered) if replies.get(of.area) else (derived,)
        found.append(Observations(of.area, flow, own, origins, Ledger(len(own), len(own), {})))
    return found


_COLUMNS = (
    *("REF_AREA", "CAP_DIM", "CAP_ITEM", "CAP_MODE", "TIME_PERIOD", "OBS_VALUE", "OBS_STATUS", "COMMENT_OBS"),
    *("table", "row", "column"),
)


def _derived(area: str, each: Assessed, year: str) -> tuple[object, ...]:
    item = each.item
    key = (area, item.dimension, item.id, DERIVED, year)
    return (*key, each.derived, _NORMAL, "", 0, item.row, _DERIVE_COLUMN)


def _answered(area: str, reply: Reply, of: Capacity, phrases: Mapping[str, Text]) -> tuple[object, ...]:
    item = of.items[reply.item]
    value = worth(item, reply.answer)
    is_office = of.roles[reply.role].is_office
    if value is None:
        status = _CANNOT_EXIST if reply.answer == NOT_APPLICABLE else _MISSING
    else:
        status = _NORMAL if is_office else _PROVISIONAL
    said = "" if is_office else phrases["capacity_by_editors"]["en"]
    comment = " ".join(filter(None, (said, reply.comment.get("en", ""))))
    key = (area, item.dimension, item.id, ANSWERED, reply.year)
    return (*key, value, status, comment, 1, reply.row, _ANSWER_COLUMN)
