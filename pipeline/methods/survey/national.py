"""Tables of a survey as a national office delivers tables: every cell of the dimensions, and every total.

They go through `publish` like any other: nothing here is protected, and nothing here is public.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import pandas as pd

from pipeline.methods.border.national import TOTAL, UNKNOWN, age_groups, origin
from pipeline.methods.survey.design import Design, Wanted
from pipeline.methods.survey.records import Codes, categories
from pipeline.methods.survey.statistics import Statistics

ORIGINS = ("CITIZENSHIP", "COUNTRY_BIRTH")
PRECISION = ("CV", "SE", "N_OBS", "RELIABILITY")
_WITHHELD = "Q"
_CELL = "|"


@dataclass(frozen=True)
class Shown:
    """One dimension at one detail: the place of each person, and the codes."""

    codes: Codes
    labels: Sequence[str]


def statistics(wanted: Wanted, design: Design, records: pd.DataFrame, area: str) -> Statistics:
    """Every cell of a table as a statistic whose domain is its codes, in the order of the dimensions."""
    made = Statistics(len(records))
    shown = {
        dimension: _details(dimension, records[column], design.codes.get(column, {}), area)
        for dimension, column in wanted.dimensions.items()
    }
    seen: set[str] = set()
    for part in _parts(tuple(shown), wanted.share_of):
        for chosen in product(*(shown[each] for each in part)):
            details = dict(zip(part, chosen, strict=True))
            _add(made, wanted, details, tuple(shown), seen)
    return made


def table(wanted: Wanted, estimates: pd.DataFrame) -> pd.DataFrame:
    """Estimates of `statistics` as the columns of a delivery; a figure that is not publishable has no value.

    Without value the standard error is left out as well: with the coefficient of variation it would tell the value.
    """
    codes = estimates["domain"].str.split(_CELL, regex=False, expand=True)
    codes.columns = pd.Index(list(wanted.dimensions))
    is_out = (estimates["obs_status"] == _WITHHELD).to_numpy()
    if wanted.measure == "SHR":
        value, decimals = (100 * estimates["estimate"]).round(1), 3
    else:
        value, decimals = estimates["estimate"].round(), 1
    cv = (estimates["cv_percent"] / 100).round(4)
    se = (cv * value).round(decimals)
    return codes.assign(
        OBS_VALUE=_words(value, is_out, "" if wanted.measure == "SHR" else "0").where(~is_out, _WITHHELD),
        OBS_STATUS=estimates["obs_status"].to_numpy(),
        CONF_STATUS=np.where(is_out, "N", "F"),  # not for publication; none of them is for confidentiality
        CV=_words(cv, np.zeros(len(cv), dtype=bool)),
        SE=_words(se, is_out),
        N_OBS=estimates["n"].astype(str).to_numpy(),
        RELIABILITY=estimates["reliability"].to_numpy(),
    )


def _words(values: pd.Series[float], is_out: np.ndarray, form: str = "") -> pd.Series[str]:
    """Numbers as text, plainly; blank where there is none."""
    text = values.map(lambda each: f"{each:.0f}" if form else f"{each:.6f}".rstrip("0").rstrip("."))
    return text.where(values.notna() & ~is_out, "")


def _parts(dimensions: tuple[str, ...], share_of: str) -> Iterator[tuple[str, ...]]:
    """Every set of dimensions that is shown together, the others being totals; shares need theirs."""
    for count in range(len(dimensions) + 1):
        for part in combinations(dimensions, count):
            if not share_of or share_of in part:
                yield part


def _details(dimension: str, column: pd.Series[str], codes: Mapping[str, str], area: str) -> list[Shown]:
    """A column as codes; an origin also as nationals and foreigners."""
    given = categories(column)
    labels = pd.Series([codes.get(label, label) for label in given.labels] + [UNKNOWN], dtype=object)
    if dimension == "AGE" and labels[:-1].astype(str).str.fullmatch(r"\d+").all():
        labels = pd.Series([*age_groups(labels[:-1].astype(float)), UNKNOWN])
    if dimension not in ORIGINS:
        return [_shown(labels, given.codes)]
    detailed = origin(labels, area)
    broad = origin(labels, area, is_detailed=False)
    return [_shown(each, given.codes) for each in ((detailed, broad) if (detailed != broad).any() else (broad,))]


def _shown(labels: pd.Series[str], codes: Codes) -> Shown:
    place, names = pd.factorize(labels, sort=True)
    return Shown(place[codes], [str(name) for name in names])


def _add(
    made: Statistics, wanted: Wanted, details: Mapping[str, Shown], dimensions: tuple[str, ...], seen: set[str]
) -> None:
    """Add the cells of some dimensions, each once."""
    code = np.zeros(made.persons, np.int64)
    labels: list[tuple[str, ...]] = [()]
    for each in details.values():
        code = code * len(each.labels) + each.codes
        labels = [(*label, own) for label in labels for own in each.labels]
    names = [_CELL.join(_cell(details, label, dimensions)) for label in labels]
    is_new = np.array([name not in seen for name in names])
    is_new &= np.bincount(code, minlength=len(names)) > 0
    seen.update(name for name, new in zip(names, is_new, strict=True) if new)
    kept = [("cell", name) for name, new in zip(names, is_new, strict=True) if new]
    if not kept:
        return
    place = np.where(is_new, np.cumsum(is_new) - 1, -1)
    above = made.group(place[code], len(kept))
    if not wanted.share_of:
        made.add(kept, above, above, is_ratio=False)
        return
    whole = np.zeros(made.persons, np.int64)
    for name, each in details.items():
        if name != wanted.share_of:
            whole = whole * len(each.labels) + each.codes
    whole, size = pd.factorize(whole)
    whole_of = np.zeros(len(kept), np.int64)
    is_in = place[code] >= 0
    whole_of[place[code][is_in]] = whole[is_in]
    base = made.group(whole, len(size))
    for at, one in enumerate(kept):
        made.add([one], above + at, base + int(whole_of[at]), is_ratio=True, is_share=True)


def _cell(details: Mapping[str, Shown], label: tuple[str, ...], dimensions: tuple[str, ...]) -> list[str]:
    own = dict(zip(details, label, strict=True))
    return [own.get(each, TOTAL) for each in dimensions]
