"""A register with columns of its own: what stands where, authored once as TOML, so that its file is read as it is.

absent    columns of the exchange format that the register does not have
columns   column of the exchange format → that of the register, or a template of several: `{year}-{month}-{day}`
labels    column of the register → its labels and what they mean; other labels stay as they are
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import SetupError
from pipeline.methods.border.records import OPTIONAL, REQUIRED

_PLACE = re.compile(r"{([^{}]+)}")


@dataclass(frozen=True)
class Register:
    """How one register names and words what the exchange format has."""

    absent: tuple[str, ...]
    columns: Mapping[str, str]
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def used(self) -> tuple[str, ...]:
        """The columns of the register that are read."""
        return tuple(dict.fromkeys(name for template in self.columns.values() for name in _parts(template)))


def register(path: Path) -> Register:
    """Load the description of a register.

    Raises:
        SetupError: it cannot be read, or a column of the exchange format is neither described nor absent.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SetupError("{path}: it cannot be read ({error}).", path=path, error=error) from None
    absent, columns = tuple(table.get("absent", ())), table.get("columns", {})
    wrong = [name for name in (*absent, *columns) if name not in (*REQUIRED, *OPTIONAL)]
    missing = [name for name in REQUIRED if name not in (*absent, *columns)]
    if wrong or missing or table.keys() - {"absent", "columns", "labels"}:
        raise SetupError(
            "{path}: unknown columns: {unknown}; neither described nor absent: {missing}. It may have absent, "
            "columns and labels; known columns are {known}.",
            path=path,
            unknown=", ".join(wrong) or "none",
            missing=", ".join(missing) or "none",
            known=", ".join((*REQUIRED, *OPTIONAL)),
        )
    return Register(absent, columns, table.get("labels", {}))


def select(of: Register, source: str, columns: Collection[str]) -> str:
    """The SELECT that gives a register the columns of the exchange format; `columns` are those that its file has."""
    shown = {name: _expression(of, template) for name, template in of.columns.items() if _has(template, columns)}
    shown |= dict.fromkeys(of.absent, "CAST(NULL AS VARCHAR)")
    return f"SELECT {', '.join(f'{text} AS {name}' for name, text in shown.items())} FROM {source}"


def _has(template: str, columns: Collection[str]) -> bool:
    return all(name in columns for name in _parts(template))


def _parts(template: str) -> list[str]:
    return _PLACE.findall(template) or [template]


def _expression(of: Register, template: str) -> str:
    if not _PLACE.search(template):
        return _labelled(of, template)
    pieces = _PLACE.split(template)  # texts and names, in turn
    texts = [_labelled(of, piece) if place % 2 else _quoted(piece) for place, piece in enumerate(pieces)]
    return " || ".join(text for text in texts if text != "''")


def _labelled(of: Register, name: str) -> str:
    column = f'TRIM(CAST("{name}" AS VARCHAR))'
    means = of.labels.get(name, {})
    if not means:
        return column
    cases = " ".join(f"WHEN {_quoted(label)} THEN {_quoted(code)}" for label, code in means.items())
    return f"CASE {column} {cases} ELSE {column} END"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
