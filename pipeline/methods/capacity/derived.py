"""Published tables of a country → what they show of each item: a part and what it is out of.

The ways are those that the list of items may name; docs/capacity.md says what each gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pandas as pd

from pipeline.assessed import Assessed, Derivation, Item, Profile, Reply, TableScore, worth
from pipeline.library import capacity as ways
from pipeline.methods.capacity.scores import Evidence, table_score

_NOTHING = ("_T", "_U", "_Z", "")
Share = tuple[float, float]


def profile(of: Evidence, replies: tuple[Reply, ...], items: Mapping[str, Item]) -> Profile:
    """Every item of a country with its latest answer and its evidence, but for what is derived from indicators."""
    tables = {
        (name, ""): table_score(of, name, flow, "")
        for flow in of.library.dataflows.values()
        for name in flow.minimum_tables
    }
    latest = {each.item: each for each in sorted(replies, key=lambda each: each.year)}
    found = []
    for item in items.values():
        part, out_of = _derived(of, item.derivation, tables) if item.derivation else (0.0, 0.0)
        reply = latest.get(item.id)
        found.append(Assessed(item, reply, worth(item, reply.answer) if reply else None, part, out_of))
    return Profile(of.area, tuple(found), tuple(tables.values()))


def with_indicators(of: Profile, filled: Share) -> Profile:
    """The profile with the indicators that the country has figures of, out of those listed."""
    part, out_of = filled
    items = (replace(each, part=part, out_of=out_of) if _is_of_indicators(each) else each for each in of.items)
    return replace(of, items=tuple(items))


def without_indicators(of: Profile) -> Profile:
    """The profile without the items that are derived from indicators, which may be made of all the others."""
    return replace(of, items=tuple(each for each in of.items if not _is_of_indicators(each)))


def _is_of_indicators(each: Assessed) -> bool:
    return each.item.derivation is not None and each.item.derivation.way == ways.INDICATORS


def _derived(of: Evidence, how: Derivation, tables: dict[tuple[str, str], TableScore]) -> Share:
    if how.way == ways.TABLES:
        return _tables(of, how, tables)
    return _WAYS[how.way](of, how) if how.way in _WAYS else (0.0, 0.0)


def _tables(of: Evidence, how: Derivation, tables: dict[tuple[str, str], TableScore]) -> Share:
    """The scores of minimum tables, added up, out of their number."""
    flows = {name: flow for flow in of.library.dataflows.values() for name in flow.minimum_tables}
    for name in how.names:
        if (name, how.select) not in tables:
            tables[name, how.select] = table_score(of, name, flows[name], how.select)
    return sum(tables[name, how.select].score for name in how.names), len(how.names)


def _rows(of: Evidence, how: Derivation) -> Share:
    """Of the five years before that of the release, those with a value."""
    frames = [of.rows(flow, how.select) for flow in how.names]
    periods = [frame.loc[frame["OBS_VALUE"].notna(), "TIME_PERIOD"].astype(str) for frame in frames if len(frame)]
    years = {period[:4] for each in periods for period in each.unique()}
    return sum(1 for year in of.years if year in years), len(of.years)


def _attribute(of: Evidence, how: Derivation) -> Share:
    """Figures that carry an attribute, out of those that could."""
    filled = every = 0
    for package in of.packages.values():
        flow = package.data.flow
        rows = of.rows(flow.id, how.select)
        for name in how.names if len(rows) else ():
            if name in flow.structure.components:
                every += len(rows)
                filled += int(_is_filled(rows[name]).sum()) if name in rows else 0
    return filled, every


def _is_filled(column: pd.Series) -> pd.Series[bool]:
    return column.notna() & (column.astype(str) != "")


def _metadata(of: Evidence, how: Derivation) -> Share:
    """Fields of the reference metadata with a text, over the country's own datasets."""
    stated = sum(1 for each in of.national for name in how.names if name in each.description.fields)
    return stated, len(of.national) * len(how.names)


def _mandatory(of: Evidence, _: Derivation) -> Share:
    """Mandatory fields of the reference metadata with a text, over the country's own datasets."""
    missing = sum(len(each.description.missing) for each in of.national)
    return of.mandatory * len(of.national) - missing, of.mandatory * len(of.national)


def _published(of: Evidence, _: Derivation) -> Share:
    """One where a dataset of the country's own is out: every dataset is, in open formats and with a licence."""
    return min(len(of.national), 1), 1


def _coordinates(of: Evidence, how: Derivation) -> Share:
    """Places in the country's own figures that have coordinates, out of all those places."""
    frames = [of.rows(flow, how.select) for flow in of.packages]
    placed = every = 0
    for name in how.names:
        codelist = of.library.list_of(name)
        used = {str(code) for frame in frames if name in frame for code in frame[name].unique()} - {*_NOTHING}
        every += len(used)
        known = codelist.codes if codelist is not None else {}
        placed += sum(1 for code in used if code in known and _is_placed(known[code].notes))
    return placed, every


def _is_placed(notes: Mapping[str, str]) -> bool:
    return bool(notes.get("latitude") and notes.get("longitude"))


_WAYS: Mapping[str, Callable[[Evidence, Derivation], Share]] = {
    ways.ROWS: _rows,
    ways.ATTRIBUTE: _attribute,
    ways.METADATA: _metadata,
    ways.MANDATORY: _mandatory,
    ways.PUBLISHED: _published,
    ways.COORDINATES: _coordinates,
}
