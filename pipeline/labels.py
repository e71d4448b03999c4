"""National labels → codes: the rows of `codes.csv`, then codes themselves, then official names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from pipeline.framework import Codelist
from pipeline.model import CodeRow, Country
from pipeline.validity import days, holds

_PART = re.compile(r"\{([^}]+)\}")
_ENTRY = re.compile(r"(.*\S)\s*\[([^][]+)\]")


def parts(template: str) -> list[str]:
    """The columns or heading rows that a template such as `{Año}-{Mes}` joins; a plain name is one."""
    return _PART.findall(template) or [template]


def pieces(template: str) -> list[str]:
    """A template cut at its parts: text, part, text, … A plain name is one text."""
    return _PART.split(template)


def folded(label: str) -> str:
    """A label without case, accents and doubled spaces, for comparing."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", label).casefold())
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


@dataclass(frozen=True)
class Fate:
    """What becomes of a label. An empty `code` with a reason in `ignored` leaves its cells out."""

    code: str
    ignored: str = ""


def coded(
    labels: pd.Series[str],
    periods: pd.Series[str],
    *,
    component: str,
    column: str,
    country: Country,
    codelist: Codelist | None,
    is_template: bool = False,
) -> tuple[pd.Series[str], pd.Series[str]]:
    """The code of each label, and the reason why it is ignored or nothing.

    `periods` holds the TIME_PERIOD of each figure. It is looked at only where the country has dated
    rows for the component: then each set of rows that hold together is applied to its own figures.
    """
    distinct = list(labels.unique())
    eras: dict[tuple[CodeRow, ...], list[str]] = {}
    if any(row.component == component and (row.valid_from or row.valid_to) for row in country.codes):
        for period in periods.unique():
            day = days(period)[0]
            eras.setdefault(tuple(row for row in country.codes if holds(row, day)), []).append(period)
    else:
        eras[country.codes] = []
    codes, ignored = labels, pd.Series("", index=labels.index)
    for rows, when in eras.items():
        found = fates(distinct, component, column, replace(country, codes=rows), codelist, is_template=is_template)
        here = periods.isin(when) if when else pd.Series(data=True, index=labels.index)
        codes = codes.where(~here, labels.map({label: fate.code for label, fate in found.items()}))
        ignored = ignored.where(~here, labels.map({label: fate.ignored for label, fate in found.items()}))
    return codes, ignored


def fates(
    labels: Iterable[str],
    component: str,
    column: str,
    country: Country,
    codelist: Codelist | None,
    *,
    is_template: bool = False,
) -> dict[str, Fate]:
    """The fate of each distinct label of one component, found under the heading `column`.

    A label that nothing matches keeps its text in place of a code, so that validation names its cells.
    A template says that a code is as good as a name, so there the two may stand in one column.
    """
    rows = _rows(country.codes, component, column)
    names = _names(codelist, component, country) if codelist is not None else {}
    distinct = list(labels)
    # "SD" beside names of countries is "sin dato" and not Sudan: a column is in codes or in words.
    in_words = (
        codelist is not None
        and not is_template
        and any(label not in codelist.codes and folded(label) in names for label in distinct)
    )
    entries = {label: _entry(label, codelist, country) for label in distinct}
    return {
        label: Fate(entries[label]) if entries[label] else _fate(label, rows, names, codelist, in_words=in_words)
        for label in distinct
    }


def _entry(label: str, codelist: Codelist | None, country: Country) -> str:
    """The code of an entry of a template's list, `Name [CODE]`; blank where the two do not belong together."""
    match = _ENTRY.fullmatch(label)
    if match is None or codelist is None or match[2] not in codelist.codes:
        return ""
    names = [*codelist.codes[match[2]].name.values()]
    if match[2] == "NAT" and country.area in codelist.codes:  # the template lists the country itself so
        names += codelist.codes[country.area].name.values()
    return match[2] if folded(match[1]) in map(folded, names) else ""


def _rows(codes: Iterable[CodeRow], component: str, column: str) -> dict[str, CodeRow]:
    """Rows for the component by folded label; a row limited to this column goes before a general one."""
    mine = [row for row in codes if row.component == component and row.column in ("", column)]
    return {folded(row.label): row for row in sorted(mine, key=lambda row: row.column != "")}


def _fate(
    label: str, rows: Mapping[str, CodeRow], names: Mapping[str, str], codelist: Codelist | None, *, in_words: bool
) -> Fate:
    row = rows.get(folded(label))
    if row is not None:
        return Fate(row.code, "" if row.code else row.note)
    if codelist is not None and label in codelist.codes:
        # A single letter is a code only in a table that needs no rows at all: where "H" had to be
        # mapped to M, an "M" that nobody mapped means Mujer and not SDMX's M.
        is_code = not in_words and (len(label) > 1 or not rows)
        return Fate(label if is_code else f"«{label}»")
    return Fate(names.get(folded(label), label))


def _names(codelist: Codelist, component: str, country: Country) -> dict[str, str]:
    """Folded official name in the country's language → code, where only one code has the name.

    Areas are looked for inside the country alone: other countries have a Córdoba too.
    """
    own = set(codelist.descendants(country.area)) if component == "REF_AREA" else codelist.codes.keys()
    found: dict[str, list[str]] = {}
    for code in codelist.codes.values():
        if code.id in own and country.language in code.name:
            found.setdefault(folded(code.name[country.language]), []).append(code.id)
    return {name: codes[0] for name, codes in found.items() if len(codes) == 1}
