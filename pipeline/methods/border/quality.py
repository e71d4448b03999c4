"""How good the records are: rates for the reference metadata, and what the office must know before it publishes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.methods.border.records import ASIDE, MANY, PERSON, POST, TRAVELLER, TWICE
from pipeline.methods.border.written import months
from pipeline.model import Issue

MANY_MENDED, TOO_MANY_MENDED = 5.0, 15.0  # percent of persons with an imputed crossing (framework §9.4)


def rates(tables: Mapping[str, pa.Table], records: int, *, pairs: int) -> dict[str, str]:
    """Counts of records and persons, and rates in percent, by their names."""
    found: dict[str, float] = {"records": records, **counts(tables), "documents_joined": pairs}
    aside = dict(zip(tables["aside"]["reason"].to_pylist(), tables["aside"]["records"].to_pylist(), strict=True))
    found |= {f"records_aside_{name}": aside.get(reason, 0) for reason, name in ASIDE.items()}
    return {name: f"{value:.2f}" if isinstance(value, float) else str(value) for name, value in found.items()}


def counts(tables: Mapping[str, pa.Table]) -> dict[str, float]:
    """Counts and rates of a run."""
    one = tables["persons"].to_pylist()
    persons, mended, imputed = (int(one[0][name]) if one else 0 for name in ("persons", "mended", "imputed"))
    crossings = _total(tables["crossings"]["crossings"])
    flows = tables["flows"]
    migrants, pending = _total(flows["migrants"]), _total(flows["pending"])
    imputed_migrants = _total(flows["imputed_migrants"])
    return {
        "crossings": crossings,
        "persons_in_rule": persons,
        "crossings_imputed": imputed,
        "matched_rate_percent": 100 * (1 - _share(imputed, crossings)),
        "persons_imputed_percent": 100 * _share(mended, persons),
        "imputed_migrants_percent": 100 * _share(imputed_migrants, migrants),
        "unresolved_percent": 100 * _share(pending, migrants + pending),
    }


def unresolved(flows: pa.Table) -> pa.Table:
    """The share of each month's possible migrations that are not decided yet, by direction."""
    found = flows.group_by(["month", "is_arrival"]).aggregate([("migrants", "sum"), ("pending", "sum")])
    found = found.sort_by([("month", "ascending"), ("is_arrival", "descending")])
    migrants, pending = found["migrants_sum"], found["pending_sum"]
    share = pc.divide(pc.multiply(pending.cast(pa.float64()), 100.0), pc.add(migrants, pending).cast(pa.float64()))
    return pa.table(
        {
            "month": months(found["month"]),
            "direction": pc.if_else(found["is_arrival"].cast(pa.bool_()), "A", "D"),
            "migrants": migrants,
            "pending": pending,
            "unresolved_percent": pc.round(share, 2),
        }
    )


def issues(tables: Mapping[str, pa.Table], file: str) -> Iterator[Issue]:
    """What was set aside, and whether too much had to be imputed."""
    aside = dict(zip(tables["aside"]["reason"].to_pylist(), tables["aside"]["records"].to_pylist(), strict=True))
    if count := aside.get(TWICE):
        yield Issue("BRD-06", "W", "", "", str(count), "1", file=file, count=count)
    if count := aside.get(MANY):
        yield Issue("BRD-07", "W", "", "", "person_id", "1", file=file, count=count)
    if count := aside.get(PERSON):
        yield Issue("BRD-14", "W", "", "", str(count), "", file=file, count=count)
    outside = {ASIDE[reason]: aside[reason] for reason in (TRAVELLER, POST) if aside.get(reason)}
    if outside:
        shown = ", ".join(f"{name} {count}" for name, count in outside.items())
        yield Issue("BRD-12", "I", "", "", shown, "", file=file, count=sum(outside.values()))
    share = counts(tables)["persons_imputed_percent"]
    if share > MANY_MENDED:
        limit = TOO_MANY_MENDED if share > TOO_MANY_MENDED else MANY_MENDED
        yield Issue("BRD-09", "W", "", "", f"{share:.1f} %", f"≤ {limit:.0f} %", file=file)


def _total(column: pa.ChunkedArray) -> int:
    return int(pc.sum(column).as_py() or 0)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
