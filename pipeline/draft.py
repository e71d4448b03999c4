"""A first guess of the layout of a table that nobody has described: a draft for a person, never applied."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from openpyxl.utils import get_column_letter

from pipeline.errors import InputError
from pipeline.framework import Dataflow
from pipeline.labels import fates, folded
from pipeline.library import authored
from pipeline.model import Country, Layout, RawTable
from pipeline.read import read
from pipeline.workbook import workbook

MARKS = ("..", "...", "-", "–", "—", "*", "n.d.", "nd", "s/d", "n/a", "x")
_NUMBER = re.compile(r"[-−]?\d{1,3}(?:([.,  ])\d{3})+(?:[.,]\d+)?|[-−]?\d+(?:[.,]\d+)?")
_YEAR = re.compile(r"(?:19|20)\d\d")
_NOTE = re.compile(r"(fuente|nota|source|note|fonte)\b", re.IGNORECASE)
_TEXT = (".csv", ".tsv", ".txt", ".px")
_HEADER_ROWS, _SURE = 3, 0.5

Words = Mapping[str, Mapping[str, frozenset[str]]]  # kind → component → folded words


@dataclass(frozen=True)
class Draft:
    """What a table looks like. `values` are column numbers; the rest is as in a `Layout`."""

    file: str
    sheet: str
    encoding: str
    delimiter: str
    header: tuple[int, ...]
    values: tuple[int, ...]
    value_headings: tuple[str, ...]
    labels: Mapping[str, str]
    headings: Mapping[str, int]
    decimal: str
    thousands: str
    marks: tuple[str, ...]
    stop: str
    frequency: str


def words(path: Path) -> Words:
    """The rows of metadata/headings.csv."""
    found: dict[str, dict[str, frozenset[str]]] = {"heading": {}, "label": {}, "month": {}}
    for _, cells in authored.rows(path, ("component", "kind", "words")):
        known = found[cells["kind"]].get(cells["component"], frozenset())
        found[cells["kind"]][cells["component"]] = known | frozenset(cells["words"].split())
    return found


def draft(path: Path, country: Country, flow: Dataflow, known: Words) -> Draft:
    """Look at a file and say where its parts seem to stand.

    Raises:
        InputError: the file cannot be opened, or no figure is found in it.
    """
    encoding, delimiter = _text_form(path)
    raw = _fullest(path, encoding, delimiter)
    cells = raw.cells.map(str.strip)
    is_figure = _figures(raw)
    start = _first_figures(cells, is_figure)
    if start is None:
        raise InputError(
            "{file}: no row with figures was found. Is this the right file, and the right sheet?", file=path.name
        )
    header = _header(cells, start)
    body, stop = _body(cells.loc[start:], is_figure)
    texts = cells.loc[list(header)] if header else cells.iloc[:0]
    named = {int(c): next((t for t in reversed(texts[c].to_list()) if t), "") for c in cells.columns}
    values, years = _columns(body, is_figure.loc[body.index], named)
    rows = {row: [t for c in values if (t := _above(texts, row, c))] for row in header}
    headings = _headings(rows, country, flow, known)
    others = {
        column: (name, body[column])
        for column, name in named.items()
        if name and column not in (*values, *years) and not _is_number_column(body, is_figure, column)
    }
    labels = _labels(others, country, flow, known, taken=headings)
    labels, frequency = _period(labels, [named[c] for c in years], others, known)
    plain = body[list(values)].to_numpy().ravel()
    decimal, thousands = _signs([] if raw.is_number is not None else [t for t in plain if t])
    marks = tuple(mark for mark in MARKS if mark in {t.casefold() for t in plain})
    return Draft(
        path.name,
        raw.sheet,
        encoding,
        delimiter,
        header,
        values,
        tuple(named[c] for c in values),
        labels,
        headings,
        decimal,
        thousands,
        marks,
        stop,
        frequency,
    )


def letters(columns: Iterable[int]) -> str:
    """Column numbers as `B:D,F`."""
    runs: list[list[int]] = []
    for column in columns:
        if runs and column == runs[-1][1] + 1:
            runs[-1][1] = column
        else:
            runs.append([column, column])
    return ",".join(f"{get_column_letter(a)}:{get_column_letter(b)}" for a, b in runs)


# ---------------------------------------------------------------- the file


def _text_form(path: Path) -> tuple[str, str]:
    """Encoding and delimiter of a text file; the layout's defaults for a workbook."""
    content = path.read_bytes()
    if path.suffix.lower() not in _TEXT:
        return "utf-8", ","
    encoding = next(e for e in ("utf-8", "cp1252", "latin-1") if _decodes(content, e))
    lines = content.decode(encoding).splitlines()[:200]

    def score(delimiter: str) -> tuple[float, int]:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter) if row)
        width, rows = widths.most_common(1)[0] if widths else (1, 0)
        return (rows / max(1, widths.total()) if width > 1 else 0.0, width)

    return encoding, max((",", ";", "|", "\t"), key=score)


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _fullest(path: Path, encoding: str, delimiter: str) -> RawTable:
    """The sheet with the most figures, or the text."""
    sheets = ("",) if path.suffix.lower() in _TEXT else workbook(path.name, path.read_bytes()).sheets
    tables = [
        read(path.parent, Layout(path.name, "", "", "", sheet=sheet, encoding=encoding, delimiter=delimiter))
        for sheet in sheets
    ]
    return max(tables, key=lambda raw: int(_figures(raw).to_numpy().sum()))


def _figures(raw: RawTable) -> pd.DataFrame:
    if raw.is_number is not None:
        return raw.is_number
    return raw.cells.map(lambda text: bool(_NUMBER.fullmatch(text.strip())))


# ---------------------------------------------------------------- rows and columns


def _first_figures(cells: pd.DataFrame, is_figure: pd.DataFrame) -> int | None:
    """The first row with a figure that is no year: a row of years alone is a heading."""
    is_year = cells.map(lambda text: bool(_YEAR.fullmatch(text)))
    is_mark = cells.isin(MARKS[:-1])  # not the x, which may head a column
    rows = cells.index[(is_figure & ~is_year | is_mark).any(axis=1)]
    return int(rows[0]) if len(rows) else None


def _header(cells: pd.DataFrame, start: int) -> tuple[int, ...]:
    """The rows right above the figures that have more than one text: a title has one."""
    header: list[int] = []
    row = start - 1
    while row >= 1 and len(header) < _HEADER_ROWS and (cells.loc[row] != "").sum() > 1:
        header.insert(0, row)
        row -= 1
    return tuple(header)


def _body(below: pd.DataFrame, is_figure: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The rows up to a source or a note, and the word that they begin with."""
    for row in below.index:
        first = next((text for text in below.loc[row] if text), "")
        match = _NOTE.match(first)
        if match and not is_figure.loc[row].any():
            return below.loc[: row - 1], match[1]
    return below, ""


def _columns(
    body: pd.DataFrame, is_figure: pd.DataFrame, named: Mapping[int, str]
) -> tuple[tuple[int, ...], list[int]]:
    """Columns of figures, and columns of years. Columns of codes are neither."""
    values: list[int] = []
    years: list[int] = []
    for column in map(int, body.columns):
        if values and named[column] and (body[column] == "").all():
            values.append(column)  # figures that are absent throughout
        if not _is_number_column(body, is_figure, column):
            continue
        filled = body[column][body[column] != ""]
        if filled.map(lambda text: bool(_YEAR.fullmatch(text))).all():
            years.append(column)
        elif not folded(named[column]).startswith(("cod", "id")):
            values.append(column)
    return tuple(values), years


def _is_number_column(body: pd.DataFrame, is_figure: pd.DataFrame, column: int) -> bool:
    filled = body[column] != ""
    marked = body[column].isin(MARKS)
    return bool(filled.any()) and bool((is_figure.loc[body.index, column] | marked)[filled].mean() > 0.9)


def _above(texts: pd.DataFrame, row: int, column: int) -> str:
    """The text of a heading row above a column; a merged heading reaches to the right."""
    left = [str(texts.loc[row, each]) for each in range(1, column + 1)]
    return next((text for text in reversed(left) if text), "")


# ---------------------------------------------------------------- components


def _headings(rows: Mapping[int, list[str]], country: Country, flow: Dataflow, known: Words) -> dict[str, int]:
    """Component → the heading row that seems to hold its labels."""
    found: dict[str, int] = {}
    for row, texts in rows.items():
        if texts and all(_YEAR.fullmatch(text) for text in texts):
            found["TIME_PERIOD"] = row
            continue
        scores = {c: _share(texts, c, country, flow, known) for c in flow.structure.dimensions if c not in found}
        best = max(scores, key=lambda c: scores[c], default="")
        if len(set(texts)) > 1 and best and scores[best] >= _SURE:
            found[best] = row
    return found


def _labels(
    columns: Mapping[int, tuple[str, pd.Series[str]]],
    country: Country,
    flow: Dataflow,
    known: Words,
    *,
    taken: Iterable[str],
) -> dict[str, str]:
    """Component → heading of the column that seems to hold its labels; the surest first, each once."""
    components = [c for c in (*flow.structure.dimensions, "OBS_STATUS") if c not in taken]
    scored = []
    for heading, body in columns.values():
        distinct = [text for text in body.unique() if text]
        for order, component in enumerate(components):
            score = _share(distinct, component, country, flow, known) + _heading(heading, component, flow, known)
            scored.append((score, -order, component, heading))
    found: dict[str, str] = {}
    for score, _, component, heading in sorted(scored, reverse=True):
        if score >= _SURE and component not in found and heading not in found.values():
            found[component] = heading
    return found


def _share(labels: Iterable[str], component: str, country: Country, flow: Dataflow, known: Words) -> float:
    """The share of labels that are names of the component's list or hold one of its words."""
    distinct = sorted(set(labels))
    codelist = flow.structure.components[component].codelist
    if codelist is None or not distinct:
        return 0.0
    found = fates(distinct, component, "", country, codelist)
    said = known["label"].get(component, frozenset())
    hits = [found[label].code in codelist.codes or bool(_tokens(label) & said) for label in distinct]
    return sum(hits) / len(hits)


def _heading(heading: str, component: str, flow: Dataflow, known: Words) -> float:
    """1 for a heading that is the concept's name, less for one of its words, the later in the heading the more."""
    names = [folded(name) for name in flow.structure.components[component].concept.name.values()]
    if folded(heading) in names:
        return 1.5
    tokens = re.findall(r"[a-z]+", folded(heading))
    places = [i for i, token in enumerate(tokens) if token in known["heading"].get(component, frozenset())]
    return 0.8 + 0.2 * (places[-1] + 1) / len(tokens) if places else 0.0


def _period(
    labels: dict[str, str], years: list[str], others: Mapping[int, tuple[str, pd.Series[str]]], known: Words
) -> tuple[dict[str, str], str]:
    """TIME_PERIOD from a column of years and, where there is one, a column of months."""
    months = known["month"].get("TIME_PERIOD", frozenset())
    by_month = [
        heading
        for heading, body in others.values()
        if (body != "").any() and set(map(folded, body[body != ""])) <= months
    ]
    if not years:
        return labels, "A"
    kept = {c: heading for c, heading in labels.items() if heading not in by_month and c != "TIME_PERIOD"}
    year = years[0]
    return {**kept, "TIME_PERIOD": f"{{{year}}}-{{{by_month[0]}}}" if by_month else year}, "M" if by_month else "A"


def _tokens(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", folded(text)))


def _signs(texts: Iterable[str]) -> tuple[str, str]:
    """Decimal and thousands signs of figures written as text."""
    figures = [text for text in texts if _NUMBER.fullmatch(text)]
    for decimal, thousands in ((",", "."), (".", ",")):
        both = re.compile(rf"\d{{1,3}}(?:\{thousands}\d{{3}})+\{decimal}\d+|\d+\{decimal}(?!\d{{3}}$)\d+")
        if any(both.fullmatch(text) for text in figures):
            return decimal, thousands
    grouped = [sign for sign in (".", ",", " ", " ") if any(sign in text for text in figures)]
    return (".", grouped[0]) if len(grouped) == 1 and grouped[0] != "." else ((",", ".") if grouped else (".", ""))
