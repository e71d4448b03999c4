"""dsd/<DATAFLOW>/{indicators,inputs,commitments}.csv and computed.toml → what is computed from published figures."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.computed import Commitment, Indicator, IndicatorInput, Indicators
from pipeline.framework import Dataflow, Field, Licence, Provider
from pipeline.library import authored
from pipeline.library.authored import NAMES, refuse
from pipeline.library.dataflows import check_condition
from pipeline.library.described import described
from pipeline.methods.indicators.definitions import definitions

_LABELS = ("label_en", "label_es", "label_pt")
_WORDS = ("words_en", "words_es", "words_pt")
_REASONS = ("reason_en", "reason_es", "reason_pt")
_MOST_DECIMALS = 6
_BASIS = re.compile(r"K|D|S\d+[a-z]?(?: S\d+[a-z]?)*")


def indicators(
    dsd: Path,
    flows: Mapping[str, Dataflow],
    *,
    providers: Mapping[str, Provider],
    licences: Mapping[str, Licence],
    fields: Mapping[str, Field],
) -> Indicators:
    """The definitions of the one dataflow that is computed; empty where there is none.

    Raises:
        SetupError: a row names what does not exist, or a formula cannot be computed.
    """
    found = sorted(dsd.glob("*/indicators.csv"))
    if not found:
        return Indicators()
    path = found[0]
    flow = flows[path.parent.name]
    said = described(path.with_name("computed.toml"), providers=providers, licences=licences, fields=fields)
    commitments = _commitments(path.with_name("commitments.csv"))
    content = path.read_bytes() + path.with_name("inputs.csv").read_bytes()
    made = Indicators(
        flow=flow.id,
        sha256=hashlib.sha256(content).hexdigest(),
        rows=_rows(path, flow, commitments),
        inputs=_inputs(path.with_name("inputs.csv"), flows),
        commitments=commitments,
        **said,
    )
    sdg = path.with_name("sdg.toml")
    made = replace(made, sdg=_sdg(sdg, flow) if sdg.exists() else {})
    for issue in definitions(made, flow.structure)[1]:
        refuse(
            path, made.rows[issue.found.partition(":")[0]].row, f"{issue.code}  {issue.found}  docs/issues/{issue.code}"
        )
    return made


def _sdg(path: Path, flow: Dataflow) -> dict[str, Any]:
    """The map to the SDG structure: components of ours that exist, and code list columns that do."""
    table = authored.toml(path)
    keys = ("agency", "id", "version", "name", "component", "fixed")
    authored.keys(path, table, keys, keys)
    components = flow.structure.components
    for there, said in table["component"].items():
        if said.get("from") not in components or said.keys() - {"from", "note", "codes"}:
            refuse(path, None, f"component {there} must come from a component of {flow.structure.id}")
        codelist = components[said["from"]].codelist
        codes = codelist.codes if codelist is not None else {}
        if unknown := said.get("codes", {}).keys() - codes.keys():
            refuse(path, None, f'"{min(unknown)}" is no code of {said["from"]}')
        if "note" in said and not any(said["note"] in code.notes for code in codes.values()):
            refuse(path, None, f'the code list of {said["from"]} has no column "{said["note"]}"')
    return table


def _commitments(path: Path) -> dict[str, Commitment]:
    found: dict[str, Commitment] = {}
    for row, cells in authored.rows(path, ("id", "instrument", *NAMES, "url")):
        authored.unique(path, row, cells["id"], found)
        name = authored.every(path, row, cells, "name")
        found[cells["id"]] = Commitment(cells["id"], cells["instrument"], name, cells["url"])
    return found


def _inputs(path: Path, flows: Mapping[str, Dataflow]) -> dict[str, IndicatorInput]:
    found: dict[str, IndicatorInput] = {}
    for row, cells in authored.rows(path, ("name", "dataflow", "select", "by", *_LABELS)):
        name, flow = cells["name"], cells["dataflow"]
        if not name.isidentifier() or name in found:
            refuse(path, row, f'"{name}" must be a new name of letters, digits and _')
        if flow not in flows:
            refuse(path, row, f'dataflow "{flow}" does not exist')
        components = flows[flow].structure.components
        check_condition(path, row, cells["select"], components)
        by: dict[str, str] = {}
        for part in cells["by"].split():
            name_here, _, there = part.partition("=")
            by[name_here] = there or name_here
        if unknown := [each for each in by.values() if each not in flows[flow].structure.dimensions]:
            refuse(path, row, f'by: "{unknown[0]}" is no dimension of {flow}')
        found[name] = IndicatorInput(name, flow, cells["select"], by, authored.every(path, row, cells, "label"))
    return found


def _rows(path: Path, flow: Dataflow, commitments: Mapping[str, Commitment]) -> dict[str, Indicator]:
    codelist = flow.structure.components[flow.structure.measure_dimension].codelist
    assert codelist is not None
    found: dict[str, Indicator] = {}
    columns = ("id", "formula", "decimals", "basis", "sdg", "commitments", *_WORDS, *_REASONS)
    for row, cells in authored.rows(path, columns):
        each = authored.unique(path, row, cells["id"], found)
        if each not in codelist.codes:
            refuse(path, row, f'"{each}" is not a code of {codelist.ref}')
        if not cells["decimals"].isdecimal() or int(cells["decimals"]) > _MOST_DECIMALS:
            refuse(path, row, f"decimals must be a number from 0 to {_MOST_DECIMALS}")
        if not _BASIS.fullmatch(cells["basis"]):
            refuse(path, row, 'basis must be K, D, or sources of the shared framework such as "S21 S31"')
        serves = tuple(cells["commitments"].split())
        if unknown := [name for name in serves if name not in commitments]:
            refuse(path, row, f'"{unknown[0]}" has no row in commitments.csv')
        reason = {} if cells["formula"] else authored.every(path, row, cells, "reason")
        found[each] = Indicator(
            each,
            cells["formula"],
            int(cells["decimals"]),
            cells["basis"],
            cells["sdg"],
            serves,
            authored.every(path, row, cells, "words"),
            reason,
            row,
        )
    return found
