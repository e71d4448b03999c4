"""Tables that look like records of persons are refused: only counts are read (framework §11, personal data).

A column is judged by its heading together with what stands below it, or by cells that can be nothing else. A
heading alone proves nothing: countries have names too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import pandas as pd
from openpyxl.utils import get_column_letter

from pipeline.errors import InputError, Told

_LOOKED_AT = 5_000  # rows
_LEAST = 10  # rows: fewer say nothing
_MOST_ARE = 0.8  # of the cells
_HEADINGS: Mapping[str, re.Pattern[str]] = {
    "numbers of documents": re.compile(
        r"\b(rut|run|dni|curp|cpf|c[eé]dula|pasaporte|passport|passaporte|ssn)\b|\b(documento|document) (n\w*|id)\b"
        r"|\b(n[uú]mero|nro|n[º°o]|no)\W{0,2} ?(de |do )?(doc|documento|identidad|identidade|identificaci[oó]n)\b",
        re.IGNORECASE,
    ),
    "names of persons": re.compile(
        r"\b(apellidos?|sobrenomes?|surnames?|last ?names?|nombre completo|nome completo|full name|primer nombre)\b",
        re.IGNORECASE,
    ),
    "addresses or telephones": re.compile(
        r"\b(e-?mail|correo|tel[eé]fono|telefone|phone|celular|domicilio|direcci[oó]n|endere[cç]o|address)\b",
        re.IGNORECASE,
    ),
    "dates of birth": re.compile(
        r"\b(fecha|fec|data|date)\W{0,2}(de |of |do )?(nac\w*|nasc\w*|birth)\b|\b(birth|nac)\W?(date|fecha)\b",
        re.IGNORECASE,
    ),
}
_CELLS: Mapping[str, re.Pattern[str]] = {
    "numbers of documents": re.compile(
        r"\d{1,2}\.?\d{3}\.?\d{3}-[\dkK]|[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z\d]\d|\d{3}\.\d{3}\.\d{3}-\d{2}"
    ),
    "addresses or telephones": re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+"),
}
_NAMING = re.compile(
    r"(^|_)(names?|nombres?|nomes?|apellidos?|sobrenomes?|surnames?|(pass|docu)\w*|pasaporte\w*|c[eé]dulas?|dni|rut|curp"
    r"|ssn|tax_id|cpf|phone|tel[eé]fono|e?mail|correo|address|direcci[oó]n|endere[cç]o)($|_)",
    re.IGNORECASE,
)
_DAY = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{4}|\d{4}[/.-]\d{1,2}[/.-]\d{1,2}(?:[ T]00:00(?::00)?)?")


def refuse(where: Told, headings: Mapping[int, str], body: pd.DataFrame) -> None:
    """Stop at a column that is of persons. The message names the column by its letter: a heading may be a cell too.

    Raises:
        InputError: a column holds documents, names, addresses or dates of birth.
    """
    rows = body.head(_LOOKED_AT)
    for column in map(int, rows.columns):
        cells = rows[column].str.strip()
        cells = cells[cells != ""]
        if len(cells) < _LEAST:
            continue
        if what := _found(headings.get(column, ""), cells):
            raise InputError(
                "{where}: column {column} looks like {what}. Records of persons are not read: "
                "deliver tables of counts. They are made inside the office that holds the records, with `make border` "
                "or `make survey`.",
                where=where,
                column=get_column_letter(column),
                what=Told(what),
            )


def _found(heading: str, cells: pd.Series[str]) -> str:
    """What of persons a column holds; nothing where it does not."""
    for what, pattern in _CELLS.items():
        if cells.str.fullmatch(pattern).mean() >= _MOST_ARE:
            return what
    for what, pattern in _HEADINGS.items():
        if pattern.search(heading.replace("_", " ")) and _each_its_own(what, cells):
            return what
    return ""


def _each_its_own(what: str, cells: pd.Series[str]) -> bool:
    """Whether a column has nearly a value for each row, as persons have; dates of birth repeat more."""
    share = cells.nunique() / len(cells)
    if what == "dates of birth":
        return bool(cells.str.fullmatch(_DAY).mean() >= _MOST_ARE)
    return bool(share >= _MOST_ARE)


def naming(columns: Iterable[str]) -> list[str]:
    """The headings of records that say names, documents or addresses: no delivery of records may have them."""
    return [name for name in columns if _NAMING.search(name)]
