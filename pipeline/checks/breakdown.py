"""ACC-05: how countries and regions of origin break a total down."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipeline.checks.finding import Mask, Numbers, Table
from pipeline.checks.lines import Lines, of_equation

_REST = "FOR_O"


def of_detail(table: Table, argument: str, rows: Mask) -> Iterator[Lines]:
    """`COUNTRY_BIRTH: FOR`: the two ways a line may break its total down.

    Tables often show some countries on their own and the others by region, so the coarse way adds
    regions, and those countries whose region the line does not show. Where every country stands
    inside a region shown, the countries make a second, fine way, and `FOR_O` is their rest.
    A line asserts that nothing is left out when `FOR_O` is in it. The coarse way comes first.
    """
    component, _, total = (part.strip() for part in argument.partition(":"))
    codelist = table.codelist(component)
    regions, countries = (sorted(codelist.select(f"kind={kind}")) for kind in ("region", "country"))
    codes = table.frame[component]
    if not (codes == total).any():
        return
    number = table.line_numbers(component)
    is_country, is_region = (rows & codes.isin(each).to_numpy() for each in (countries, regions))
    is_inside = is_country & _in_shown_region(table, component, is_region)
    is_nested = (_has(number, is_inside) & ~_has(number, is_country & ~is_inside))[number]
    fine = rows & is_nested & ~is_region
    coarse = rows & ~is_inside & ~(is_nested & (codes == _REST).to_numpy())
    common = ("FOR_U", _REST) if total == "FOR" else ("FOR_U", _REST, "STLS", "_U")
    yield of_equation(table, coarse, component, total, [*regions, *countries, *common], needed=[_REST])
    yield of_equation(table, fine, component, total, [*countries, *common], needed=[_REST])


def _has(number: Numbers, entries: Mask) -> Mask:
    """For each line, whether one of these entries is in it."""
    return np.bincount(number[entries], minlength=int(number.max(initial=-1)) + 1) > 0


def _in_shown_region(table: Table, component: str, is_region: Mask) -> Mask:
    """Rows whose code has its parent in the same line."""
    codelist, number = table.codelist(component), table.line_numbers(component)
    places, distinct = pd.factorize(table.frame[component])
    order = {code: place for place, code in enumerate(distinct)}
    above = [order.get(codelist.codes[code].parent, -1) if code in codelist.codes else -1 for code in distinct]
    parent = np.array([*above, -1], dtype=np.int64)[places]
    width = len(distinct) + 1
    return (parent >= 0) & np.isin(number * width + parent, (number * width + places)[is_region])
