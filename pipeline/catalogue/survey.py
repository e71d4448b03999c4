"""The page on surveys: how weights are adjusted to what is known of the population, worked on published figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse

from pipeline.catalogue.render import Content, Page
from pipeline.catalogue.view import Catalogue
from pipeline.catalogue.wording import Words
from pipeline.methods.survey.calibration import Margins, distance
from pipeline.methods.survey.diagnostics import kish
from pipeline.texts import texts

_ADJUSTED = "CAL_"  # how the codes of METHOD begin that say so

# Framework §10.2, after a published example: sample cases by group and sex, one weight for all, and the margins.
_WEIGHT = 33.847
_CASES = {("E", "1"): 12, ("E", "2"): 132, ("H", "1"): 3, ("H", "2"): 11, ("M", "1"): 8, ("M", "2"): 17}
_MARGINS = {"E": 4421, "H": 755, "M": 1018, "1": 1072, "2": 5122}
_ROW, _LEFT, _WIDTH = 26, 60, 720


def pages(catalogue: Catalogue) -> Iterator[Page]:
    """The page on the method."""
    yield Page("survey", "survey.html", partial(_content, catalogue), title)


def title(words: Words) -> str:
    """Its name, for those that lead to it."""
    return str(texts("survey", words.lang)["title"])


def _content(catalogue: Catalogue, words: Words) -> Content:
    rows, effect = _example(words)
    adjusted = [
        view
        for view in catalogue.views.values()
        if any(code.startswith(_ADJUSTED) for code in view.used.get("METHOD", ()))
    ]
    return {
        "s": texts("survey", words.lang),
        "rows": rows,
        "margins": [(name, words.number(total)) for name, total in _MARGINS.items()],
        "kish": words.number(round(effect, 4), 4),
        "weight": words.number(_WEIGHT, 3),
        "width": _WIDTH,
        "height": _ROW * len(rows) + 4,
        "standards": list(_standards(catalogue)),
        "adjusted": adjusted,
        "record": {
            "example": [{"group": row["group"], "g": row["ratio"]} for row in rows],
            "adjusted": [view.path for view in adjusted],
        },
    }


def _example(words: Words) -> tuple[list[Mapping[str, Any]], float]:
    """Each group of the example before and after, made by the method itself, and Kish's factor."""
    cases = np.array(list(_CASES.values()), dtype=np.float64)
    base = cases * _WEIGHT
    meets = sparse.csr_array([[float(name in cell) for name in _MARGINS] for cell in _CASES])
    totals = np.array(list(_MARGINS.values()), dtype=np.float64)
    solved = Margins(meets, totals).solve(base, distance("raking", 0, np.inf))
    after = base * solved.g
    scale = (_WIDTH - _LEFT - 10) / max(base.max(), after.max())
    rows: list[Mapping[str, Any]] = [
        {
            "group": group,
            "sex": sex,
            "cases": words.number(int(cases[place])),
            "before": words.number(round(float(base[place]))),
            "after": words.number(round(float(after[place]))),
            "ratio": round(float(solved.g[place]), 6),
            "g": words.number(round(float(solved.g[place]), 3), 3),
            "y": place * _ROW + 4,
            "before_width": round(float(base[place]) * scale, 1),
            "after_width": round(float(after[place]) * scale, 1),
            "x": _LEFT,
        }
        for place, (group, sex) in enumerate(_CASES)
    ]
    return rows, float(kish(np.repeat(_WEIGHT * solved.g, cases.astype(int))))


def _standards(catalogue: Catalogue) -> Iterator[Content]:
    """The limits of each standard, as the file that decides has them."""
    for name, grades in catalogue.library.standards.items():
        rows = [(grade.kind, grade.label, [(each, *limit) for each, limit in grade.limits.items()]) for grade in grades]
        yield {"name": name, "rows": rows}
