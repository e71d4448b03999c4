"""Everything that a run writes beside its events: exchange files, quality, vintages, and national tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from pipeline.errors import InputError
from pipeline.methods.border import national, quality, sensitivity, vintages, written
from pipeline.methods.border.layout import CODES, layout
from pipeline.methods.border.received import Delivery
from pipeline.methods.border.records import ATTRIBUTES
from pipeline.methods.border.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.methods.border import Asked

_BASE = ("component", "year", "citizenship", "sex", "persons")


@dataclass(frozen=True)
class Run:
    """What was run: the rule, the delivery, and how many pairs of documents were joined."""

    rule: Rule
    delivery: Delivery
    pairs: int


def write(folder: Path, asked: Asked, tables: Mapping[str, pa.Table], run: Run) -> None:
    """Write the tables of a run to a folder.

    Raises:
        InputError: the base or the run to compare with cannot be read.
    """
    written.write(written.flows(tables["flows"]), folder / "flows.csv")
    written.write(written.stocks(tables["stocks"]), folder / "stocks.csv")
    written.write(quality.unresolved(tables["flows"]), folder / "unresolved.csv")
    frames = {name: _frame(table) for name, table in tables.items()}
    monthly = vintages.monthly(frames)
    monthly.to_csv(folder / "estimates.csv", index=False)
    found = quality.rates(tables, run.delivery.records, pairs=run.pairs)
    if asked.previous:
        revised = vintages.revisions(monthly, _previous(asked.previous))
        revised.to_csv(folder / "revisions.csv", index=False)
        found["mean_revision_percent"] = f"{vintages.mean_revision(revised):.2f}"
    pd.DataFrame({"measure": list(found), "value": list(found.values())}).to_csv(folder / "quality.csv", index=False)
    if asked.sensitivity:
        _compared(tables["sensitivity"]).to_csv(folder / "sensitivity.csv", index=False)
    if asked.area:
        _national(folder / "national", asked, frames, run, found)


def _frame(table: pa.Table) -> pd.DataFrame:
    """A table in which a blank word is the empty one."""
    found: pd.DataFrame = table.to_pandas()
    blank = {name: "" for name in ATTRIBUTES if name in found}
    return found.fillna(blank)


def _national(
    folder: Path, asked: Asked, frames: Mapping[str, pd.DataFrame], run: Run, facts: Mapping[str, str]
) -> None:
    folder.mkdir()
    first = run.delivery.first_day
    assert first is not None  # or the delivery would not be fit
    frame = national.Frame(asked.area, run.rule, first, has_initial=asked.initial_status is not None)
    aside = sum(int(value) for name, value in facts.items() if name.startswith("records_aside"))
    status = "G" if float(facts["persons_imputed_percent"]) > quality.TOO_MANY_MENDED else ""
    said = {
        "threshold": str(run.rule.threshold_days),
        "window": str(run.rule.window_days),
        "matched": facts["matched_rate_percent"],
        "unresolved": facts["unresolved_percent"],
        "persons": facts["persons_imputed_percent"],
        "migrants": facts["imputed_migrants_percent"],
        "records": facts["records"],
        "aside": str(aside),
        "pairs": facts["documents_joined"],
    }
    for flow, table in national.tables(frames, frame, _base(asked.base), status).items():
        if table.empty:
            continue
        table.to_csv(folder / f"{flow}.csv", index=False)
        text = layout(flow, frame, provider=asked.provider, licence=asked.licence, phrases=asked.phrases, facts=said)
        (folder / f"{flow}.toml").write_text(text, encoding="utf-8")
    (folder / "codes.csv").write_text(CODES, encoding="utf-8")


def _compared(table: pa.Table) -> pd.DataFrame:
    found: pd.DataFrame = table.to_pandas()
    direction = found.pop("is_arrival").astype(bool).map({True: "A", False: "D"})
    found.insert(3, "direction", direction)
    keys = [name if name != "is_arrival" else "direction" for name in sensitivity.KEYS]
    return found.sort_values(keys, ignore_index=True)


def _base(path: Path | None) -> pd.DataFrame | None:
    if path is None:
        return None
    found = _read(path, _BASE)
    number = pd.to_numeric(found["persons"], errors="coerce")
    year = pd.to_numeric(found["year"], errors="coerce")
    wrong = found[number.isna() | year.isna() | ~found["component"].isin(["STK_POP", "CMP_BIRTH", "CMP_DEATH"])]
    if len(wrong) or not found["component"].eq("STK_POP").any():
        raise InputError(
            "{file}: {rows} rows are not a component STK_POP, CMP_BIRTH or CMP_DEATH of a year with a number of "
            "persons, or no row is STK_POP. Correct the table.",
            file=path.name,
            rows=len(wrong),
        )
    return found.assign(persons=number, year=year.astype(int))


def _previous(folder: Path) -> pd.DataFrame:
    return _read(folder / "estimates.csv", ("month", "direction", "estimate", "status")).assign(
        estimate=lambda of: pd.to_numeric(of["estimate"], errors="coerce").astype("Int64")
    )


def _read(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """A small table, all text."""
    try:
        found = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError("{path}: it cannot be read ({error}).", path=path, error=error) from None
    if missing := [name for name in columns if name not in found]:
        raise InputError(
            "{file}: the columns {missing} are missing. Expected {columns}.",
            file=path.name,
            missing=", ".join(missing),
            columns=", ".join(columns),
        )
    return found
