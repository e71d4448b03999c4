"""The page on protection for statisticians: method and rules of each dataset, and what its users lose by them.

All of it is worked out from what the release publishes: a share of value is what published parts leave of a
published total.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd

from pipeline.catalogue.render import Content, Page
from pipeline.catalogue.view import Catalogue, View
from pipeline.catalogue.wording import Words
from pipeline.checks.finding import Mask, key_numbers
from pipeline.framework import Codelist
from pipeline.model import Library, Protected
from pipeline.protection import Protection
from pipeline.texts import texts
from pipeline.thresholds import is_count, is_withheld

PATH = "protection"
_MOST_CODES = 5  # of a dimension: those of which most is withheld
_ORIGINS = ("CITIZENSHIP", "COUNTRY_BIRTH")
_FOREIGN, _NATIVE, _ALL = "FOR", "NAT", "_T"


@dataclass(frozen=True)
class Loss:
    """Of one dimension: the codes with withheld figures as (code, figures, withheld), the worst first.

    `value` is the share of published totals that published parts do not account for; None where there is no total.
    """

    dimension: str
    codes: tuple[tuple[str, int, int], ...]
    value: float | None


def pages(catalogue: Catalogue) -> Iterator[Page]:
    """The page, where a release has a dataset."""
    if catalogue.views:
        lost = cache(
            lambda: [(each, losses(each.package.data, catalogue.library)) for each in catalogue.views.values()]
        )
        yield Page(PATH, "protection.html", partial(_content, catalogue, lost), title)


def title(words: Words) -> str:
    return str(texts("protection", words.lang)["title"])


def link(words: Words) -> str:
    """What leads to the page."""
    return str(texts("protection", words.lang)["link"])


def losses(data: Protected, library: Library) -> tuple[Loss, ...]:
    """What is withheld by each dimension that breaks the table down."""
    hidden = is_withheld(data.frame)
    if not hidden.any():
        return ()
    found, counts = [], is_count(data.frame, library.list_of)
    for dimension in data.flow.structure.dimensions:
        code, names = pd.factorize(data.frame[dimension])
        if len(names) < 2:
            continue
        size, held = np.bincount(code), np.bincount(code[hidden], minlength=len(names))
        ranks = np.lexsort((-held, -held / size))[:_MOST_CODES]
        worst = tuple((str(names[each]), int(size[each]), int(held[each])) for each in ranks if held[each])
        found.append(Loss(dimension, worst, _value(data, dimension, library, counts & ~hidden, counts & hidden)))
    return tuple(found)


def _value(data: Protected, dimension: str, library: Library, shown: Mask, hidden: Mask) -> float | None:
    """Of the totals, the share that the published parts leave where a part beside them is withheld."""
    codes = data.frame[dimension]
    total = {"REF_AREA": data.area, **dict.fromkeys(_ORIGINS, _FOREIGN)}.get(dimension, _ALL)
    is_total = (codes == total).to_numpy() & shown
    parts = codes.isin(_finest(set(codes.unique()), total, library.list_of(dimension))).to_numpy()
    if not is_total.any() or not (parts & hidden).any():
        return None
    line = key_numbers(data.frame, tuple(each for each in data.flow.structure.key if each != dimension))
    value, size = np.nan_to_num(data.frame["OBS_VALUE"].to_numpy(dtype=np.float64)), int(line.max()) + 1
    whole, seen = (np.bincount(line, weights=value * rows, minlength=size) for rows in (is_total, parts & shown))
    beside = np.bincount(line, weights=parts & hidden, minlength=size) > 0
    return float(np.maximum(whole - seen, 0)[beside].sum() / whole.sum()) if (whole[beside] > 0).any() else None


def _finest(used: set[str], total: str, codelist: Codelist | None) -> list[str]:
    """The codes that no other used one is a part of, below the total."""
    if codelist is None:
        return []
    wholes = {above for code in used if code in codelist.codes for above in codelist.ancestors(code)[1:]}
    return sorted(used - wholes - {total, _ALL, _FOREIGN, _NATIVE})


def _content(catalogue: Catalogue, lost: Callable[[], list[tuple[View, tuple[Loss, ...]]]], words: Words) -> Content:
    said, made = texts("protection", words.lang), lost()
    return {
        "p": said,
        "flows": [(flow, _rules(flow.protection, said)) for flow in catalogue.flows],
        "datasets": [_dataset(catalogue, view, found, words) for view, found in made if found],
        "record": {
            "datasets": [
                {
                    "area": view.area,
                    "flow": view.flow.id,
                    "method": view.flow.protection.method,
                    "figures": len(view.package.data.frame),
                    "withheld": dict(view.package.data.suppressed),
                    "by_dimension": {
                        each.dimension: {
                            "value_not_shown": None if each.value is None else round(each.value, 4),
                            "codes": {code: {"figures": size, "withheld": held} for code, size, held in each.codes},
                        }
                        for each in found
                    },
                }
                for view, found in made
            ]
        },
    }


def _rules(protection: Protection, said: Mapping[str, Any]) -> list[str]:
    """The parameters that may be told; those of dominance and the secret of chance are none of them."""
    thresholds = [
        said["threshold"].format(persons=each.persons, when=f"`{each.when}`" if each.when else said["others"])
        for each in protection.thresholds
    ]
    cases = [said["cases"].format(cases=protection.minimum_cases)] if protection.minimum_cases else []
    never = [said["forbidden"].format(when=f"`{when}`") for when in protection.forbidden]
    floors = [
        said["floor"].format(persons=each.persons, of=f"{each.of} {each.total}", when=f"`{each.when}`")
        for each in protection.floors
    ]
    full = [said["full_cell"].format(of=f"{each.of} {each.total}") for each in protection.full_cells]
    return [said["methods"][protection.method], *thresholds, *cases, *never, *floors, *full]


def _dataset(catalogue: Catalogue, view: View, found: tuple[Loss, ...], words: Words) -> Content:
    data = view.package.data
    return {
        "path": view.path,
        "area": catalogue.library.area_name(view.area),
        "flow": view.flow.name,
        "law": data.flow.protection.law,
        "cells": words.number(len(data.frame)),
        "withheld": words.number(view.suppressed),
        "share": words.number(100 * view.suppressed / len(data.frame), 1),
        "dimensions": [
            {
                "name": catalogue.library.concepts[each.dimension].name,
                "value": "" if each.value is None else words.number(100 * each.value, 1),
                "codes": [
                    (
                        words.code(catalogue.library.list_of(each.dimension), code),
                        words.number(held),
                        words.number(size),
                    )
                    for code, size, held in each.codes
                ],
            }
            for each in found
        ],
    }
