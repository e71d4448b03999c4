"""The published figures that a rule compares, in one form whatever their dataflow."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cache

import numpy as np
import pandas as pd

from pipeline import conditions
from pipeline.checks.finding import Mask
from pipeline.framework import Codelist, Rule
from pipeline.model import Library, Whole

TOTAL = "_T"
_NOT_APPLICABLE = "_Z"
_SUPPRESSED = "Q"
_SMALL = 10  # the highest threshold of framework §11
_KEPT = ("OBS_STATUS", "UNIT_MEASURE", "REF_DATE", "RES_CRITERION", "METHOD", "SOURCE_OPERATION")
_ALWAYS_FREE = ("FREQ", "REF_AREA", "SOURCE_TYPE")
_PEOPLE = ("COUNTRY_BIRTH", "CITIZENSHIP")


def dimensions(rule: Rule, library: Library) -> tuple[str, ...]:
    """Every dimension of the rule's dataflows but the one that says what is counted, which is `MEASURE` here."""
    structures = [library.dataflows[flow].structure for flow in rule.dataflows or library.dataflows]
    measures = {structure.measure_dimension for structure in structures}
    return tuple(dict.fromkeys(each for s in structures for each in s.dimensions if each not in measures))


def figures(
    wholes: Iterable[Whole],
    condition: str,
    rule: Rule,
    library: Library,
    *,
    free: Collection[str] | None = None,
    several: str = "",
) -> pd.DataFrame:
    """The figures for which the condition holds, one row each; those broken down by a dimension that is
    not `free`, nor says where and how often, are left out; so are those of an area that has no two codes of `several`.

    Columns: `FLOW`, `ROW` (place in the table of the dataflow), `AREA` (country), `MEASURE`, every
    dimension (`_T` where a structure has none, or where it does not apply), `BASIS` and `ORIGIN`
    (birth or citizenship, and the country; null where both are broken down), `TIME_PERIOD`, `YEAR`,
    `VALUE` in units, null where it is `WITHHELD`, `IS_SMALL` (a count that is told beside no other),
    `ESTIMATE`, `ROUNDING`, `PROVIDER`, and the attributes that define a figure. What is missing for
    another reason is left out.
    """
    chosen = [(whole, _selected(whole, condition, library, free, several)) for whole in wholes]
    parts = [_of(whole, frame, rule, library) for whole, frame in chosen if len(frame)]
    return pd.concat(parts, ignore_index=True) if parts else _empty(dimensions(rule, library)).copy()


def named(condition: str) -> set[str]:
    """The components that a condition is about."""
    return {clause.component for clause in conditions.parse(condition)}


def _selected(
    whole: Whole, condition: str, library: Library, free: Collection[str] | None, several: str
) -> pd.DataFrame:
    """The rows of the table for which the condition holds and that have a figure, or a withheld one."""
    structure, every = whole.data.flow.structure, whole.data.frame
    rows = conditions.holds(conditions.parse(condition), every, library.list_of).to_numpy()
    for dimension in structure.dimensions if free is not None else ():
        if dimension not in (*_ALWAYS_FREE, structure.measure_dimension, *(free or ())):
            rows = rows & every[dimension].isin([TOTAL, _NOT_APPLICABLE]).to_numpy()
    if several:
        codes = every.loc[rows, ["REF_AREA", several]].drop_duplicates()["REF_AREA"].value_counts()
        rows = rows & every["REF_AREA"].isin(list(codes.index[codes > 1])).to_numpy()
    return every[rows & (_is_withheld(every) | every["OBS_VALUE"].notna().to_numpy())]


def _is_withheld(frame: pd.DataFrame) -> Mask:
    withheld: Mask = ((frame["OBS_STATUS"] == _SUPPRESSED) & frame["OBS_VALUE"].isna()).to_numpy()
    return withheld


def _of(whole: Whole, frame: pd.DataFrame, rule: Rule, library: Library) -> pd.DataFrame:
    structure, withheld = whole.data.flow.structure, _is_withheld(frame)
    found = pd.DataFrame({"FLOW": whole.data.flow.id, "ROW": frame.index}, index=frame.index)
    for dimension in dimensions(rule, library):
        text = _text(frame, dimension)
        found[dimension] = text.where((text != _NOT_APPLICABLE) & (text != ""), TOTAL) if dimension in frame else TOTAL
    for attribute in _KEPT:
        found[attribute] = _text(frame, attribute)
    areas = library.list_of("REF_AREA")
    assert areas is not None
    found["AREA"] = found["REF_AREA"].map({code: _country(areas, code) for code in found["REF_AREA"].unique()})
    found["MEASURE"] = _text(frame, structure.measure_dimension)
    found["TIME_PERIOD"] = _text(frame, "TIME_PERIOD")
    found["YEAR"] = found["TIME_PERIOD"].str.slice(0, 4).astype("int64")
    found["WITHHELD"] = withheld
    multiplier = pd.to_numeric(_text(frame, "UNIT_MULT").replace("", "0")).to_numpy(dtype=float)
    found["VALUE"] = np.where(withheld, np.nan, frame["OBS_VALUE"].to_numpy(dtype=float) * 10.0**multiplier)
    found["IS_SMALL"] = _is_small(found, library)
    found["ESTIMATE"] = _is_estimate(found, library)
    rounding = {area: _rounding(area, whole.data.flow.id, library) for area in found["AREA"].unique()}
    found["ROUNDING"] = found["AREA"].map(rounding).astype(float)
    providers = dict(enumerate(source.provider for source in whole.data.sources))
    provider = frame["table"].astype("int64").map(providers).astype("str")
    # Two countries may have an INE each; only an international provider is the same for both.
    found["PROVIDER"] = provider.where(provider.isin(list(library.providers)), found["AREA"] + ":" + provider)
    people = _origin(found) if set(_PEOPLE) <= set(found.columns) else {"BASIS": "", "ORIGIN": ""}
    return found.assign(**people).reset_index(drop=True)


def _text(frame: pd.DataFrame, column: str) -> pd.Series[str]:
    if column not in frame:
        return pd.Series("", index=frame.index, dtype="str")
    return frame[column].astype("str")


def _is_small(found: pd.DataFrame, library: Library) -> pd.Series[bool]:
    units = library.list_of("UNIT_MEASURE")
    assert units is not None
    is_count = found["UNIT_MEASURE"].isin(list(units.select("count=yes")))
    return is_count & (found["VALUE"].abs() > 0) & (found["VALUE"].abs() < _SMALL)


def _is_estimate(found: pd.DataFrame, library: Library) -> pd.Series[bool]:
    """Samples and models, and what is marked as estimated, add up only nearly (framework §4)."""
    sources = library.list_of("SOURCE_TYPE")
    assert sources is not None
    return (found["OBS_STATUS"] == "E") | found["SOURCE_TYPE"].isin([*sources.descendants("SUR"), "INT"])


def _country(areas: Codelist, code: str) -> str:
    """The country that an area belongs to."""
    return next((each for each in areas.ancestors(code) if _kind(areas, each) == "country"), code)


def _kind(areas: Codelist, code: str) -> str:
    return areas.codes[code].notes.get("kind", "") if code in areas.codes else ""


def _rounding(area: str, flow: str, library: Library) -> int:
    country = library.countries.get(area)
    series = country.series.get(flow) if country is not None else None
    by_chance = library.dataflows[flow].protection.rounding_base if flow in library.dataflows else 0
    return max(series.rounding_base if series is not None else 0, by_chance)


def _origin(found: pd.DataFrame) -> dict[str, pd.Series[str]]:
    """By what people are told apart, and the country that they are of."""
    birth, citizenship = (found[column] for column in _PEOPLE)
    by_birth, by_citizenship = birth != TOTAL, citizenship != TOTAL
    basis = pd.Series("", index=found.index, dtype="object")
    basis[by_birth], basis[by_citizenship] = _PEOPLE
    origin = birth.where(by_birth, citizenship).astype("object")
    crossed = by_birth & by_citizenship
    return {"BASIS": basis.mask(crossed, None), "ORIGIN": origin.mask(crossed, None)}


@cache
def _empty(dimensions: tuple[str, ...]) -> pd.DataFrame:
    numbers = {"ROW": "int64", "YEAR": "int64", "VALUE": "float64", "ROUNDING": "float64"}
    flags = dict.fromkeys(("WITHHELD", "IS_SMALL", "ESTIMATE"), "bool")
    texts = ("FLOW", "AREA", "MEASURE", "TIME_PERIOD", "PROVIDER", "BASIS", "ORIGIN", *_KEPT, *dimensions)
    kinds = {**dict.fromkeys(texts, "str"), **numbers, **flags}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})
