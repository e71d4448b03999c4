"""What a release says of the capacity of each country, for machines: every number with what it is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.assessed import Assessed, Capacity, Profile, TableScore
from pipeline.formats.columns import figure
from pipeline.methods.capacity.scores import WEIGHTS
from pipeline.plain import as_csv

_ITEMS = (
    *("CAP_DIM", "CAP_ITEM", "KIND", "WEIGHT", "ANSWER", "ANS", "YEAR", "ROLE", "SOURCE", "EVIDENCE", "EVIDENCE_DATE"),
    *("DERIVE", "SELECT", "PART", "OUT_OF", "SCORE", "DER", "GAP"),
)
_COUNTS = {
    "A": ("YEARS_WITH_TOTAL", "YEARS"),
    "F": ("CELLS_FILLED", "CELLS"),
    "T": ("MONTHS", "MONTHS_STALE"),
    "M": ("FIELDS_FILLED", "FIELDS"),
    "Q": ("ERRORS", "ROWS_CHECKED"),
}
_COUNTED = tuple(name for names in _COUNTS.values() for name in names)
_TABLES = ("TABLE", "DATAFLOW", "SELECT", "LATEST", *_COUNTED, *WEIGHTS, "SCORE")


def items_path(flow: str, area: str) -> str:
    """Where a release has every item of a country: answer, evidence and gap."""
    return f"files/{flow}/{area}/items.csv"


def tables_path(flow: str, area: str) -> str:
    """Where a release has what the score of each table of a country is made of."""
    return f"files/{flow}/{area}/tables.csv"


def records(of: Profile, capacity: Capacity) -> Iterator[tuple[str, bytes]]:
    """Yield (path, content) of the two records of a country."""
    rows: Iterable[list[object]] = (_item(each, capacity) for each in of.items)
    yield items_path(capacity.flow, of.area), as_csv(_ITEMS, rows)
    yield tables_path(capacity.flow, of.area), as_csv(_TABLES, (_table(each) for each in of.tables))


def _item(each: Assessed, of: Capacity) -> list[object]:
    item, reply, how = each.item, each.reply, each.item.derivation
    given: list[object] = ["", "", "", "", "", "", ""]
    if reply is not None:
        address = reply.url or (of.sources[reply.source].url if reply.source else "")
        given = [reply.answer, _number(each.answered), reply.year, reply.role, reply.source, address, reply.date]
    way = [" ".join((f"{how.way}:" if how.names else how.way, *how.names)), how.select] if how else ["", ""]
    parts = [_number(each.part), _number(each.out_of)] if how else ["", ""]
    shown = [_number(each.score), _number(each.derived), "yes" if each.has_gap else ""]
    return [item.dimension, item.id, item.kind, _number(item.weight), *given, *way, *parts, *shown]


def _table(each: TableScore) -> list[object]:
    counts = [part for name in _COUNTS for part in each.counts.get(name, ("", ""))]
    shares = [_number(each.shares[name]) for name in WEIGHTS]
    return [each.table, each.flow, each.select, each.latest, *counts, *shares, _number(each.score)]


def _number(value: float | None) -> str:
    return "" if value is None else figure(round(float(value), 4))
