"""dsd/reliability.csv → the standards of precision, each a list of grades, best first."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

from pipeline.framework import Grade
from pipeline.library import authored
from pipeline.library.authored import refuse
from pipeline.precision import LABELS

_FIGURES = ("n", "df", "deff", "ess", "cases", "cv", "log_cv", "se_to_q", "p")
_COLUMNS = ("standard", "kind", "label", *_FIGURES, "n_known_domain", "df_waivable")
_LIMIT = re.compile(r"(<=|>=|<|>)(\d+(?:\.\d+)?)")


def standards(path: Path) -> dict[str, tuple[Grade, ...]]:
    """Every standard by its name.

    Raises:
        SetupError: a kind, label or limit that is not understood, by row.
    """
    found: dict[str, tuple[Grade, ...]] = {}
    for row, cells in authored.rows(path, _COLUMNS):
        if cells["kind"] not in ("total", "proportion") or cells["label"] not in LABELS:
            refuse(path, row, "kind must be total or proportion, and label R, W or N")
        limits = {name: _limit(path, row, cells[name]) for name in _FIGURES if cells[name]}
        known = _limit(path, row, cells["n_known_domain"]) if cells["n_known_domain"] else None
        kind = cast("Any", cells["kind"])
        grade = Grade(kind, cells["label"], limits, known, is_df_waivable=cells["df_waivable"] == "yes")
        found[cells["standard"]] = (*found.get(cells["standard"], ()), grade)
    return found


def _limit(path: Path, row: int, text: str) -> tuple[str, float]:
    match = _LIMIT.fullmatch(text)
    if match is None:
        refuse(path, row, f'"{text}" is not a limit such as >=60 or <=0.2')
    return match[1], float(match[2])
