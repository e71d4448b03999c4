"""A delivery of microdata with its design and controls, and what of it cannot be used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.methods.survey import controls, records
from pipeline.methods.survey.controls import FEW_PERSONS, Control, Variable
from pipeline.methods.survey.design import Design
from pipeline.methods.survey.records import MISSING, Categories, Codes, Figures, categories, numbers
from pipeline.methods.survey.variance import Sample
from pipeline.model import Issue
from pipeline.persons import naming

_SHOWN = 5
_LONGEST = 12  # letters of a category; what is longer may be what somebody wrote
_MOST_CATEGORIES = 1000


@dataclass(frozen=True)
class Delivery:
    """Records that may be calibrated, or the issues for which they may not."""

    name: str
    issues: tuple[Issue, ...]
    frame: pd.DataFrame
    ids: pd.Series | None = None
    base: Figures | None = None
    sample: Sample | None = None
    household: Categories | None = None
    variables: tuple[Variable, ...] = ()

    @property
    def is_fit(self) -> bool:
        """True when nothing found forbids its use."""
        return not any(issue.severity == "E" for issue in self.issues)


def opened(file: Path, design: Design, given: Sequence[Control]) -> Delivery:
    """Open microdata for the columns that design and controls name, and tell what cannot be used.

    Raises:
        InputError: the file cannot be opened.
    """
    columns = records.headings(file)
    wanted = tuple(dict.fromkeys((*design.columns, *controls.columns(given))))
    found = tuple(_of_columns(columns, wanted, file.name))
    if found:
        return Delivery(file.name, found, pd.DataFrame())
    frame = records.read(file, wanted)
    made = Delivery(
        file.name,
        (),
        frame,
        ids=_identifiers(frame[design.id]) if design.id else pd.Series(np.arange(1, len(frame) + 1)),
        base=numbers(frame[design.weights]),
        household=categories(frame[design.household]) if design.household else None,
    )
    found = tuple(_of_records(made, design))
    if any(issue.severity == "E" for issue in found):
        return Delivery(file.name, found, frame)
    own = tuple(controls.variables(given, frame, collapse_below=design.collapse_below))
    sample = _sample(frame, design)
    found = (*found, *_of_sample(sample, design, file.name), *_of_margins(own, file.name))
    return Delivery(file.name, found, frame, made.ids, made.base, sample, made.household, own)


def _identifiers(column: pd.Series) -> pd.Series:
    """Identifiers as they are written; SPSS and Stata keep whole numbers with a point."""
    is_whole = pd.api.types.is_float_dtype(column.dtype) and bool((column.dropna() % 1 == 0).all())
    return column.astype("Int64") if is_whole else column


def issue(code: str, severity: str, file: str, found: str, expected: str = "", *, count: int = 1) -> Issue:
    """An issue of a delivery of microdata."""
    assert severity in ("E", "W", "I")
    return Issue(code, severity, "", "", found, expected, file=file, count=count)  # type: ignore[arg-type]


def _of_columns(columns: Sequence[str], wanted: Sequence[str], file: str) -> Iterator[Issue]:
    if missing := [name for name in wanted if name not in columns]:
        yield issue("CAL-01", "E", file, ", ".join(missing), ", ".join(wanted), count=len(missing))
    if named := naming(columns):
        yield issue("CAL-02", "E", file, ", ".join(named), ", ".join(wanted), count=len(named))


def _of_records(delivery: Delivery, design: Design) -> Iterator[Issue]:
    """What is wrong with identifiers, weights and households."""
    base, file = delivery.base, delivery.name
    assert base is not None
    assert delivery.ids is not None
    if not len(base):
        yield issue("CAL-03", "E", file, "0", design.weights)
        return
    is_wrong = ~(base > 0)
    if is_wrong.any():
        yield issue("CAL-03", "E", file, str(int(is_wrong.sum())), design.weights, count=int(is_wrong.sum()))
    again = int(delivery.ids.duplicated().sum() + delivery.ids.isna().sum() + (delivery.ids.astype(str) == "").sum())
    if design.id and again:
        yield issue("CAL-04", "E", file, str(again), design.id, count=again)
    for name in (design.strata, design.clusters, design.household):
        if name and (empty := int((categories(delivery.frame[name]).codes == MISSING).sum())):
            yield issue("CAL-05", "E", file, str(empty), name, count=empty)
    if design.fpc and (empty := int((~(numbers(delivery.frame[design.fpc]) >= 0)).sum())):
        yield issue("CAL-05", "E", file, str(empty), design.fpc, count=empty)
    home = delivery.household
    if home is not None and (home.codes != MISSING).all() and not is_wrong.any():
        low, high = (np.full(len(home.labels), at) for at in (np.inf, -np.inf))
        np.minimum.at(low, home.codes, base)
        np.maximum.at(high, home.codes, base)
        differing = int((high > low * (1 + 1e-9)).sum())
        if differing:
            yield issue("CAL-06", "E", file, str(differing), design.weights, count=differing)


def _of_sample(sample: Sample, design: Design, file: str) -> Iterator[Issue]:
    alone = int((sample.clusters == 1).sum())
    if alone and not sample.is_adjusted:
        yield issue("CAL-07", "E", file, str(alone), design.strata or "1", count=alone)


def _of_margins(variables: Sequence[Variable], file: str) -> Iterator[Issue]:
    """What is wrong between records and controls, and which cells are small or were merged."""
    for each in variables:
        lost = int(np.isnan(each.values).sum()) if each.values is not None else int((each.codes == MISSING).sum())
        if lost:
            said = f"{each.name}: {_shown(each.unknown)}" if each.unknown else each.name
            yield issue("CAL-08", "E", file, said, str(lost), count=lost)
        persons = np.bincount(each.merged, each.persons, minlength=len(each.merged))[each.kept]
        names = [controls.named((each.name, label)) for label in each.labels]
        if empty := [name for name, count in zip(names, persons, strict=True) if not count]:
            yield issue("CAL-09", "E", file, _listed(empty), count=len(empty))
        if few := [f"{n} ({int(c)})" for n, c in zip(names, persons, strict=True) if 0 < c < FEW_PERSONS]:
            yield issue("CAL-10", "W", file, _listed(few), str(FEW_PERSONS), count=len(few))
        if joined := [name for name, label in zip(names, each.labels, strict=True) if " + " in label]:
            yield issue("CAL-11", "I", file, _listed(joined), count=len(joined))
    if sums := controls.contradictions(variables):
        yield issue("CAL-12", "E", file, ", ".join(f"{name} {total:.10g}" for name, total in sums.items()))


def _sample(frame: pd.DataFrame, design: Design) -> Sample:
    """Clusters within strata; every record is one where no column names them."""
    count = len(frame)
    strata = categories(frame[design.strata]).codes if design.strata else np.zeros(count, np.int64)
    own = categories(frame[design.clusters]).codes if design.clusters else np.arange(count)
    cluster, pairs = pd.factorize(strata * (own.max() + 1) + own)
    of = np.asarray(pairs) // (own.max() + 1)
    unseen = np.ones(int(strata.max()) + 1)
    if design.fpc:
        unseen[strata] = _unseen(numbers(frame[design.fpc]), np.bincount(of)[strata])
    return Sample(cluster, of, unseen, is_adjusted=design.lonely_clusters == "adjust")


def _unseen(given: Figures, drawn: Codes) -> Figures:
    """The share of clusters not drawn, from how many there are or from the share that is (up to 1)."""
    share = np.where(given > 1, drawn / given, given)
    left: Figures = np.clip(1 - np.nan_to_num(share), 0, 1)
    return left


def _shown(values: Sequence[str]) -> str:
    """A few categories; none where they may be words or keys of persons."""
    if len(values) > _MOST_CATEGORIES or any(len(each) > _LONGEST for each in values):
        return "…"
    return _listed([f'"{each}"' for each in values])


def _listed(values: Sequence[str]) -> str:
    return ", ".join(values[:_SHOWN]) + (" …" if len(values) > _SHOWN else "")
