"""What is said of every indicator of every country: its figures, or why there are none; and what each was made of."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import pandas as pd

from pipeline.computed import Answer
from pipeline.formats.columns import figure
from pipeline.framework import LANGUAGES, Dataflow, Text
from pipeline.methods.indicators.definitions import LISTED, TIME, Definitions
from pipeline.methods.indicators.evaluate import Computed, root
from pipeline.methods.indicators.formula import Call, Expression, Name, Operation
from pipeline.model import Issue, Library
from pipeline.plain import as_csv

MISSING = "IND-04"


def answers(of: Definitions, made: Computed, areas: Collection[str], library: Library) -> tuple[Answer, ...]:
    """One answer for each country and indicator, in the order of both."""
    figures = made.figures.assign(area=root(made.figures["REF_AREA"]))
    has_value = figures["value"].notna()
    by_key = figures[has_value].groupby(["area", "INDICATOR"])[TIME]
    found = pd.DataFrame({"figures": by_key.size(), "first": by_key.min(), "last": by_key.max()})
    known = {key: (int(n), str(first), str(last)) for key, n, first, last in found.itertuples(name=None)}
    withheld = set(figures.loc[~has_value, ["area", "INDICATOR"]].itertuples(index=False, name=None))
    return tuple(
        Answer(area, each, *known[area, each], {})
        if (area, each) in known
        else _without(of, made, (area, each), library, is_withheld=(area, each) in withheld)
        for area in areas
        for each in of.of.rows
    )


def _without(of: Definitions, made: Computed, key: tuple[str, str], library: Library, *, is_withheld: bool) -> Answer:
    """The answer for an indicator of a country that has no figure."""
    area, indicator = key
    if indicator not in of.formulas:
        return Answer(area, indicator, 0, "", "", of.of.rows[indicator].reason)
    named = dict.fromkeys(each.name for each in of.inputs(indicator))
    given = {name for name in named if area in set(root(made.taken[name].sources["REF_AREA"]))}
    phrase, absent = _cause(of, made, key, given, is_withheld=is_withheld)
    labels = [of.of.inputs[name].label for name in absent]
    if phrase == "indicator_no_dataset":
        labels = [library.dataflows[of.of.inputs[name].flow].name for name in absent]
    reason = _said(library.phrases[phrase], labels)
    return Answer(area, indicator, 0, "", "", reason, is_withheld, absent, bool(given))


def _cause(
    of: Definitions, made: Computed, key: tuple[str, str], given: Collection[str], *, is_withheld: bool
) -> tuple[str, tuple[str, ...]]:
    """Why there is no figure, the first that holds: the phrase that says it, and the inputs that it is about."""
    area, indicator = key
    if is_withheld:
        return "indicator_withheld", ()
    if area in made.by_zero[indicator]:
        return "indicator_zero", ()
    named = dict.fromkeys(each.name for each in of.inputs(indicator))
    several = tuple(name for name in named if name not in given and area in made.taken[name].several)
    if several:
        return "indicator_several", several
    absent = _absent(of.formulas[indicator], given)
    if not absent:
        return "indicator_no_match", ()
    has_table = any(of.of.inputs[name].flow in _flows(made, area) for name in absent)
    return ("indicator_no_figures" if has_table else "indicator_no_dataset"), absent


def _flows(made: Computed, area: str) -> frozenset[str]:
    return made.flows.get(area, frozenset())


def _absent(formula: Expression, given: Collection[str]) -> tuple[str, ...]:
    """The inputs without which a formula has no figure; of two ways, those of the one that lacks fewer."""
    match formula:
        case Name(name):
            return () if name in given or name == LISTED else (name,)
        case Operation(_, left, right):
            return tuple(dict.fromkeys((*_absent(left, given), *_absent(right, given))))
        case Call("first", parts):
            return min((_absent(part, given) for part in parts), key=len)
        case Call(_, (of, *_)):
            return _absent(of, given)
    return ()


def _said(reason: Text, names: Collection[Text]) -> Text:
    return {
        language: reason[language].format(inputs="; ".join(dict.fromkeys(name[language] for name in names)))
        for language in LANGUAGES
    }


def issues(found: Collection[Answer], of: Definitions) -> Iterator[Issue]:
    """IND-04: an input is missing where others of the same formula are there. What has none is no fault."""
    file = f"dsd/{of.of.flow}/inputs.csv"
    for each in found:
        if each.absent and each.has_some:
            names = ", ".join(of.of.inputs[name].label["en"] for name in each.absent)
            yield Issue(MISSING, "I", each.area, of.of.flow, f"{each.indicator}: {names}", "", file=file)


# ---------------------------------------------------------------- records


def answers_path(flow: str, area: str) -> str:
    """Where a release says what it has of each indicator of a country."""
    return f"files/{flow}/{area}/answers.csv"


def inputs_path(flow: str, area: str) -> str:
    """Where a release says what each figure of a country was made of."""
    return f"files/{flow}/{area}/inputs.csv"


def answers_record(found: Collection[Answer]) -> bytes:
    """The answers of one country as a table."""
    rows = ([a.indicator, a.figures, a.first, a.last, *(a.reason.get(each, "") for each in LANGUAGES)] for a in found)
    return as_csv(["INDICATOR", "FIGURES", "FIRST", "LAST", *(f"NOT_COMPUTABLE_{e.upper()}" for e in LANGUAGES)], rows)


def inputs_record(made: Computed, area: str, flow: Dataflow, release: str) -> bytes:
    """Each figure of one country with every published figure that it was made of, and the release that has it."""
    is_here = (root(made.figures["REF_AREA"]) == area).to_numpy(dtype=bool)
    figures = made.figures[is_here]
    used = made.lineage[made.lineage["figure"].isin(figures.index)]
    parts = []
    for name, rows in used.groupby("input", sort=False):
        source = made.taken[str(name)].sources.loc[rows["row"].to_numpy()].reset_index(drop=True)
        parts.append(pd.concat([rows.reset_index(drop=True), source.rename(columns={TIME: "at"})], axis=1))
    if not parts:
        return as_csv(_INPUT_COLUMNS, ())
    told = pd.concat(parts, ignore_index=True).sort_values(["figure", "input", "dataflow", "key", "at"])
    of = figures.loc[told["figure"].to_numpy()].reset_index(drop=True)
    key = of[list(flow.structure.dimensions)].astype(str).agg(".".join, axis=1)
    told = told.reset_index(drop=True)
    vintage = told["vintage"].where(told["vintage"] != "", release)
    columns = [of["INDICATOR"], key, of[TIME], _texts(of["value"]), told["input"], told["dataflow"], told["area"]]
    columns += [told["key"], told["at"], _texts(told["value"]), vintage]
    return as_csv(_INPUT_COLUMNS, zip(*columns, strict=True))


_INPUT_COLUMNS = (
    "INDICATOR",
    "KEY",
    "TIME_PERIOD",
    "OBS_VALUE",
    "INPUT",
    "INPUT_DATAFLOW",
    "INPUT_AREA",
    "INPUT_KEY",
    "INPUT_TIME_PERIOD",
    "INPUT_VALUE",
    "VINTAGE",
)


def _texts(values: pd.Series[float]) -> pd.Series[str]:
    written = {value: figure(float(value)) for value in values.dropna().unique()}
    return values.map(written).astype(object).fillna("")
