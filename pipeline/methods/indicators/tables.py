"""Computed figures → the observations of one country, beside those that it delivered itself.

A delivered figure is held against the computed one (IND-01) and gives way to it. One that cannot be recomputed
stays as it came, unless it could be turned round: where the country has a withheld cell in a table that the
indicator is made of, a percentage of a published total would tell that cell.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from openpyxl.utils import get_column_letter

from pipeline.computed import Indicators
from pipeline.methods.indicators.definitions import Definitions
from pipeline.methods.indicators.evaluate import QUALITY, RELIABILITY, Computed, root
from pipeline.methods.typed import typed
from pipeline.model import Issue, Ledger, Library, Observations, Origin, Protected
from pipeline.protect import blanked

DIFFERS = "IND-01"
_FORMULA_COLUMN = 2
_UNRELIABLE = QUALITY.index("U")
_ROOM = 1e-9  # what binary fractions add to half a unit of the last decimal

Mask = npt.NDArray[np.bool_]


def observations(made: Computed, area: str, library: Library) -> Observations:
    """The computed figures of one country as a table whose cells are the rows of the definitions."""
    of, flow = library.indicators, library.dataflows[library.indicators.flow]
    figures = made.figures[(root(made.figures["REF_AREA"]) == area).to_numpy(dtype=bool)]
    frame = typed(_described(figures, of, library), flow)
    origin = Origin(file(of), "", of.sha256, of.provider, of.licence, {}, {_FORMULA_COLUMN: ""})
    return Observations(area, flow, frame, (origin,), Ledger(len(frame), len(frame), {}))


def file(of: Indicators) -> str:
    """Where the rows of the definitions stand: they are the cells of the computed table."""
    return f"dsd/{of.flow}/indicators.csv"


def _described(figures: pd.DataFrame, of: Indicators, library: Library) -> pd.DataFrame:
    """All components of the figures, as texts and numbers."""
    codes = library.dataflows[of.flow].structure.components["INDICATOR"].codelist
    assert codes is not None
    indicator = figures["INDICATOR"].astype(str)
    is_withheld = figures["is_withheld"].to_numpy(dtype=bool)
    quality = figures["quality"].to_numpy(dtype=int)
    reliability = figures["reliability"].to_numpy(dtype=int)
    status = np.array(QUALITY, dtype=object)[
        np.where(reliability == len(RELIABILITY) - 1, np.maximum(quality, _UNRELIABLE), quality)
    ]
    notes = {name: {code.id: code.notes.get(name, "") for code in codes.codes.values()} for name in ("unit", "collect")}
    return figures.drop(columns=["value", "exact", "is_withheld", "quality", "reliability"]).assign(
        OBS_VALUE=figures["value"].to_numpy(dtype=np.float64),
        OBS_STATUS=np.where(is_withheld, "Q", status),
        CONF_STATUS=np.where(is_withheld, "D", "F"),
        RELIABILITY=np.where(is_withheld, "", np.array(RELIABILITY, dtype=object)[reliability]),
        COMMENT_OBS=np.where(~is_withheld & (status == "U"), library.phrases["indicator_unreliable"]["en"], ""),
        UNIT_MEASURE=indicator.map(notes["unit"]),
        UNIT_MULT="0",
        DECIMALS=indicator.map({each.id: str(each.decimals) for each in of.rows.values()}),
        TIME_PER_COLLECT=indicator.map(notes["collect"]),
        SOURCE_OPERATION=of.source_operation["en"],
        STAT_POP=of.stat_pop["en"],
        table=0,
        row=indicator.map({each.id: each.row for each in of.rows.values()}),
        column=_FORMULA_COLUMN,
    )


# ---------------------------------------------------------------- delivered figures


def delivered(of: Protected, library: Library) -> Protected:
    """What a country itself delivered of a published table: without what the publisher computed."""
    own = [number for number, source in enumerate(of.sources) if source.provider == library.indicators.provider]
    return replace(of, frame=of.frame[~of.frame["table"].isin(own)].reset_index(drop=True))


def differences(given: Protected, made: Computed, of: Definitions) -> Iterator[Issue]:
    """IND-01: a delivered figure is not what its published inputs give, beyond its rounding."""
    both = _matched(given, made)
    decimals = pd.to_numeric(both["DECIMALS"], errors="coerce") if "DECIMALS" in both else np.nan
    stated = pd.Series(decimals, index=both.index).fillna(
        both["INDICATOR"].astype(str).map({each.id: each.decimals for each in of.of.rows.values()})
    )
    room = 0.5 * 10.0 ** -stated.to_numpy(dtype=np.float64) + _ROOM
    with np.errstate(invalid="ignore"):
        wrong = np.abs(both["OBS_VALUE"].to_numpy() - both["exact"].to_numpy(dtype=np.float64)) > room
    for number, rows in both[wrong].groupby("table", sort=False):
        source = given.sources[int(str(number))]
        for indicator, same in rows.groupby(rows["INDICATOR"].astype(str), sort=False):
            first = same.iloc[0]
            yield Issue(
                DIFFERS,
                "E",
                given.area,
                given.flow.id,
                f"{indicator} {first['TIME_PERIOD']}: {first['OBS_VALUE']:g}",
                f"{first['value']:g}",
                file=source.file,
                sheet=source.sheet,
                cells=tuple(_cell(row, column) for row, column in zip(same["row"], same["column"], strict=True)),
                count=len(same),
            )


def _cell(row: int, column: int) -> str:
    return f"{get_column_letter(max(int(column), 1))}{int(row)}"


def _matched(given: Protected, made: Computed) -> pd.DataFrame:
    """The delivered figures with the computed ones of the same key beside them, where there are any."""
    key = list(given.flow.structure.key)
    texts = given.frame.astype(dict.fromkeys(key, "object")).astype(dict.fromkeys(key, str))
    return texts.merge(made.figures.astype(dict.fromkeys(key, str))[[*key, "value", "exact", "is_withheld"]], on=key)


def joined(computed: Observations, given: Protected, made: Computed, of: Definitions, library: Library) -> Observations:
    """The computed figures and, behind them, the delivered ones that they do not replace."""
    key = list(given.flow.structure.key)
    rest = given.frame.copy()
    known = pd.MultiIndex.from_frame(computed.frame[key].astype(str))
    rest = rest[~pd.MultiIndex.from_frame(rest[key].astype(str)).isin(known)]
    rest = _closed(rest, _turnable(made, of, given.area, library))
    rest = rest.assign(table=rest["table"] + len(computed.origins), text="")
    frames = [computed.frame, typed(rest, given.flow)]
    texts = [frame.astype({name: object for name in frame if frame[name].dtype == "category"}) for frame in frames]
    frame = typed(pd.concat(texts, ignore_index=True), given.flow)
    size = len(frame)
    return replace(computed, frame=frame, origins=(*computed.origins, *given.sources), ledger=Ledger(size, size, {}))


def _turnable(made: Computed, of: Definitions, area: str, library: Library) -> frozenset[str]:
    """The indicators made of a table of the country that has a withheld cell."""
    return frozenset(each for each in of.formulas if any((area, i.flow) in made.closed for i in of.inputs(each)))


def _closed(frame: pd.DataFrame, indicators: Collection[str]) -> pd.DataFrame:
    """The figures of some indicators withheld."""
    hidden = frame["INDICATOR"].astype(str).isin(list(indicators)).to_numpy(dtype=bool)
    return blanked(frame, np.zeros_like(hidden), hidden)
