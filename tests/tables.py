"""Small tables for tests of validation: a few columns that matter, and a good row for the rest."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import across, vintages
from pipeline.assessed import Reply
from pipeline.computed import IndicatorInput, Indicators
from pipeline.corrections import correct
from pipeline.framework import Code, Correction, Dataflow, RevisionNote, Waiver
from pipeline.methods.capacity import issues as capacity_issues
from pipeline.methods.capacity.derived import profile
from pipeline.methods.capacity.scores import Evidence
from pipeline.methods.indicators import answers
from pipeline.methods.indicators import tables as indicator_tables
from pipeline.methods.indicators.definitions import Definitions, definitions
from pipeline.methods.indicators.evaluate import Computed, Published, evaluate
from pipeline.model import (
    Country,
    Description,
    Issue,
    Ledger,
    Library,
    Observations,
    Origin,
    Protected,
    RawTable,
    Report,
    Whole,
)

DAY = "2026-11-24"
ROW = Mapping[str, str | float]

_GOOD = {
    "FREQ": "A",
    "REF_AREA": "CL",
    "SOURCE_TYPE": "CEN",
    "SEX": "_T",
    "AGE": "_T",
    "CITIZENSHIP": "_T",
    "COUNTRY_BIRTH": "_T",
    "COUNTERPART_AREA": "_Z",
    "DURATION": "_T",
    "REASON": "_Z",
    "TIME_PERIOD": "2017",
    "OBS_VALUE": "1000",
    "OBS_STATUS": "A",
    "CONF_STATUS": "F",
    "UNIT_MULT": "0",
    "REF_DATE": "2017-04-19",
    "RES_CRITERION": "M6D1",
    "METHOD": "NONE",
    "SOURCE_OPERATION": "Censo 2017",
    "STAT_POP": "Población residente",
}
_BY_FLOW = {
    "DF_STOCK": {"MIG_MEASURE": "STK_POP"},
    "DF_POP": {"MIG_MEASURE": "STK_POP"},
    "DF_FLOW": {"MIG_MEASURE": "FLW_IN", "SOURCE_TYPE": "ADM_REG", "COUNTERPART_AREA": "_T", "REASON": "_T"},
    "DF_EMIG": {"MIG_MEASURE": "STK_EMIG", "COUNTERPART_AREA": "_T", "SOURCE_TYPE": "ADM_CON"},
    "DF_BORDER": {"MIG_MEASURE": "CRS_IN", "SOURCE_TYPE": "ADM_BRD", "COUNTERPART_AREA": "_T"},
    "DF_RETURN": {"MIG_MEASURE": "STK_RET", "COUNTRY_BIRTH": "NAT"},
    "DF_REMIT": {"MIG_MEASURE": "REM_IN", "COUNTERPART_AREA": "_T", "REMIT_ITEM": "REM_TOT"},
    "DF_INDIC": {"INDICATOR": "I05", "COUNTERPART_AREA": "_Z", "OBS_VALUE": "20"},
    "DF_SOCIO": {"MIG_MEASURE": "STK_POP"},
    "DF_LABOUR": {"MIG_MEASURE": "STK_POP", "AGE": "Y_GE15"},
    "DF_NATUR": {"MIG_MEASURE": "FLW_NAT", "SOURCE_TYPE": "ADM_NAT"},
    "DF_PERMIT": {
        "MIG_MEASURE": "FLW_PRM",
        "SOURCE_TYPE": "ADM_PRM",
        "LEGAL_STATUS": "_T",
        "ADM_EVENT": "ISS_ANY",
    },
    "DF_REFUGEE": {"MIG_MEASURE": "STK_PROT", "SOURCE_TYPE": "ADM_ASY", "LEGAL_STATUS": "REF"},
    "DF_RIGHTS": {"MIG_MEASURE": "VIC_N", "SOURCE_TYPE": "ADM_JUS"},
    "DF_CAPACITY": {"CAP_DIM": "D01", "CAP_ITEM": "D01_01", "CAP_MODE": "DER", "UNIT_MEASURE": "SCORE"},
}
FLOWS = _BY_FLOW.keys()
_FIGURES = ("OBS_VALUE", "CV", "SE", "N_OBS")


def frame(rows: Iterable[ROW], flow: Dataflow) -> pd.DataFrame:
    """Observations as `recode` makes them; what a row does not say is taken from a good row."""
    full = [_full(row, flow) for row in rows]
    table = pd.DataFrame(full, columns=[c for c in flow.structure.components if any(c in row for row in full)])
    for component in flow.structure.components.values():
        if component.id in table and component.id not in _FIGURES:
            table[component.id] = table[component.id].astype("str")
            if component.codelist is not None:
                table[component.id] = table[component.id].astype("category")
    words = table["OBS_VALUE"].astype("str")
    for column in _FIGURES:
        if column in table:
            table[column] = pd.to_numeric(table[column], errors="coerce").astype("float64")
    unread = table["OBS_VALUE"].isna() & (words != "")
    return table.assign(text=words.where(unread, ""), table=0, row=range(2, len(table) + 2), column=9)


def observations(
    rows: Iterable[ROW], flow: Dataflow, *, hierarchies: tuple[str, ...] = (), rounding_base: int = 0
) -> Observations:
    """The rows as one table of Chile's, with labels of sex in column 2."""
    table = frame(rows, flow)
    origin = Origin(
        file="stock.xlsx",
        sheet="Cuadro 1",
        sha256="0" * 64,
        provider="CL_INE",
        licence="CC-BY-4.0",
        places={"SEX": ("column", 2), "COUNTRY_BIRTH": ("row", 1)},
        headings={2: "Sexo", 9: "Personas"},
    )
    ledger = Ledger(len(table), len(table), {})
    return Observations("CL", flow, table, (origin,), ledger, hierarchies, rounding_base)


def protected(rows: Iterable[ROW], flow: Dataflow) -> Protected:
    """The same rows as if they had been protected."""
    received = observations(rows, flow)
    return Protected("CL", flow, received.frame, received.origins, {})


def wholes(rows: Iterable[ROW], library: Library) -> dict[str, Whole]:
    """Published tables of several dataflows and countries, from rows that name both.

    What an international organisation says comes from UN DESA, the rest from the office of the country.
    """
    by_flow: dict[str, list[ROW]] = {}
    for row in rows:
        by_flow.setdefault(str(row.get("DATAFLOW", "DF_STOCK")), []).append(row)
    made = {}
    for flow, same in by_flow.items():
        table = frame(same, library.dataflows[flow])
        providers = [
            str(row.get("PROVIDER") or ("UNDESA" if row.get("SOURCE_TYPE") == "ORG" else "INE")) for row in same
        ]
        known = list(dict.fromkeys(providers))
        sources = tuple(Origin(f"{each}.xlsx", "", "0" * 64, each, "CC-BY-4.0", {}, {}) for each in known)
        table["table"] = [known.index(each) for each in providers]
        data = Protected("", library.dataflows[flow], table, sources, {})
        made[flow] = Whole(data, Description("", flow, {}, {}, (), (), (), "", ""), {})
    return made


def across_issues(rows: Iterable[ROW], library: Library) -> tuple[Issue, ...]:
    """What the rules between tables say of the rows, of one country and of two."""
    tables = wholes(rows, library)
    compared = across.compare(tables, library)
    keys = {(str(area)[:2], flow) for flow, whole in tables.items() for area in whole.data.frame["REF_AREA"].unique()}
    told = across.told(compared, {key: Report(*key, (), {}) for key in sorted(keys)}, tables, library)
    return (*(issue for report in told.values() for issue in report.issues), *compared.issues)


def published(rows: Iterable[ROW], library: Library, *, area: str = "CL") -> list[Published]:
    """The same tables as indicators read them; a blank cell of a row says nothing."""
    said = [{name: text for name, text in row.items() if text != "" or name == "OBS_VALUE"} for row in rows]
    return [Published(area, whole.data.flow, whole.data.frame, f"{DAY}.1") for whole in wholes(said, library).values()]


def computed(rows: Iterable[ROW], library: Library, of: Indicators | None = None) -> tuple[Computed, Definitions]:
    """What the indicators of the library, or others, give of the rows."""
    flow = library.dataflows["DF_INDIC"]
    found, issues = definitions(of or library.indicators, flow.structure)
    assert not issues
    return evaluate(found, published(rows, library), flow, library), found


def defined(rows: Iterable[Mapping[str, str]], library: Library) -> Indicators:
    """The indicators of the library with other formulas, and with the inputs of other indicators that rows name."""
    of = library.indicators
    formulas = {row["INDICATOR"]: replace(of.rows[row["INDICATOR"]], formula=row["FORMULA"]) for row in rows}
    by = {"REF_AREA": "REF_AREA", "SEX": "SEX"}
    inputs = {
        row["INPUT"]: IndicatorInput(row["INPUT"], of.flow, f"INDICATOR in {row['MADE_OF']}", by, {})
        for row in rows
        if row.get("INPUT")
    }
    return replace(of, rows={**of.rows, **formulas}, inputs={**of.inputs, **inputs})


def indicator_issues(rows: Iterable[ROW], library: Library) -> tuple[Issue, ...]:
    """What is told of indicators that Chile delivers, and of those that lack an input."""
    of = library.indicators.flow
    made, found = computed([row for row in rows if row["DATAFLOW"] != of], library)
    given = [row for row in rows if row["DATAFLOW"] == of]
    if given:
        (table,) = published(given, library)
        origin = Origin("indicadores.xlsx", "", "0" * 64, "CL_INE", "CC-BY-4.0", {}, {})
        data = Protected("CL", library.dataflows[of], table.frame, (origin,), {})
        return tuple(indicator_tables.differences(data, made, found))
    return tuple(answers.issues(answers.answers(found, made, ["CL"], library), found))


def issue(code: str, **rest: Any) -> Issue:
    """An error of Chile's DF_STOCK."""
    return Issue(code, "E", "CL", "DF_STOCK", "", "", **rest)


def reply(row: Mapping[str, str], number: int = 2) -> Reply:
    """An answer of Chile's statistical office, good but for what the row says."""
    good = {"item": "D01_01", "year": "2026", "answer": "Y", "source": "S0", "url": "", "evidence_date": "2026"}
    said = {**good, "role": "NSO", **row}
    return Reply(*(said[name] for name in (*good, "role")), comment={}, row=number)


def assessment_issues(replies: Iterable[Reply], library: Library) -> tuple[Issue, ...]:
    """What is told of the answers of a country that publishes nothing."""
    said = tuple(replies)
    made = profile(Evidence("CL", {}, {}, library, DAY), said, library.capacity.items)
    flow = library.capacity.flow
    return (*capacity_issues.ages(said, "CL", flow, DAY), *capacity_issues.gaps(made, flow))


def delivered_answers(rows: Iterable[ROW], library: Library) -> tuple[Issue, ...]:
    """What is told of answers that Chile delivers as a table."""
    return tuple(capacity_issues.delivered(protected(rows, library.dataflows[library.capacity.flow])))


def with_facing_posts(library: Library) -> Library:
    """The library with a Colombian post, CO_X, that faces Rumichaca, EC_05."""
    posts = library.list_of("BORDER_POST")
    assert posts is not None
    facing = Code("CO_X", "_T", {"en": "Rumichaca, CO"}, {"facing_post": "EC_05", "neighbour": "EC"})
    return replace(
        library, codelists={**library.codelists, posts.ref: replace(posts, codes={**posts.codes, "CO_X": facing})}
    )


def changed(
    rows: Iterable[Mapping[str, str]], flow: Dataflow, library: Library, *notes: RevisionNote, published: bytes = b""
) -> vintages.Changes | None:
    """What rows with BEFORE and STATUS_BEFORE change; one without OBS_VALUE and OBS_STATUS is gone, one without
    BEFORE and STATUS_BEFORE is new.
    """
    then, now = [], []
    for row in rows:
        rest = {name: text for name, text in row.items() if name not in ("BEFORE", "STATUS_BEFORE")}
        if row["BEFORE"] or row["STATUS_BEFORE"]:
            then.append(
                rest | {"OBS_VALUE": row["BEFORE"], "OBS_STATUS": row["STATUS_BEFORE"]} | _open(row["STATUS_BEFORE"])
            )
        if row["OBS_VALUE"] or row["OBS_STATUS"]:
            now.append(rest | _open(row["OBS_STATUS"]))
    return vintages.changes(
        protected(now, flow),
        protected(then, flow),
        library,
        notes=notes,
        vintage="2025-11-24.1",
        release=f"{DAY}.1",
        published=published,
    )


def waiver(row: dict[str, str], flow: str) -> Waiver:
    """The waiver that a row of a case has in columns of its own, which are taken out of it."""
    code, scope, date, expiry = (row.pop(name) for name in ("WAIVED", "SCOPE", "FROM", "EXPIRY"))
    reason = {"en": "Reason", "es": "Motivo", "pt": "Motivo"}
    return Waiver("CL", flow, code, scope, "Director of statistics", date, expiry, reason, "INE 7/2026")


def _open(status: str) -> dict[str, str]:
    return {"CONF_STATUS": "A" if status == "Q" else "F"}


def with_chile(library: Library) -> Library:
    """The library with a Chile that has an agreement for every dataflow but none of rights."""
    agreed = frozenset(("CL_INE", flow) for flow in library.dataflows if flow != "DF_RIGHTS")
    chile = Country("CL", "es", "CL_INE", {}, agreed, (), {}, {})
    return replace(library, countries={"CL": chile})


def corrected(row: Mapping[str, str], flow: str) -> tuple[Issue, ...]:
    """What is told of a correction of the one cell of a table."""
    raw = RawTable("CL/stock.csv", "", "0" * 64, pd.DataFrame([[row["IN_THE_CELL"]]], index=[1], columns=[1]), None)
    correction = Correction(flow, "stock.csv", "", "A1", row["EXPECTED"], row["VALUE"], row["REASON"])
    return correct([raw], [correction], area="CL", flow=flow)[1]


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a small CSV, all text."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _full(row: ROW, flow: Dataflow) -> dict[str, str | float]:
    measure = flow.structure.measure_dimension
    full: dict[str, str | float] = dict.fromkeys(flow.structure.dimensions, "_T")
    full |= {c: "" for c in flow.structure.attributes("observation", "measure", "group") if c not in _FIGURES}
    said = _GOOD | _BY_FLOW[flow.id] | dict(row)
    full |= {component: text for component, text in said.items() if component in flow.structure.components}
    codelist = flow.structure.components[measure].codelist
    assert codelist is not None
    code = codelist.codes.get(str(full[measure]))
    notes = code.notes if code else {}
    full.setdefault("UNIT_MEASURE", "")
    full["UNIT_MEASURE"] = row.get("UNIT_MEASURE", notes.get("unit", "PERS"))
    full["TIME_PER_COLLECT"] = row.get("TIME_PER_COLLECT", notes.get("collect") or "E")
    return full
