"""The mirror page: corridors as both countries report them, the largest asymmetries first, and why they differ."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pandas as pd

from pipeline import across
from pipeline.catalogue.render import Content, Page
from pipeline.catalogue.view import Catalogue
from pipeline.catalogue.wording import Words
from pipeline.texts import texts

_SHOWN = 25
_TOTAL = "_T"
_CORRIDOR = ["origin", "destination", "place"]
_STATES = ("compared", "one_estimate", "withheld", "partner_data")


def pages(catalogue: Catalogue) -> Iterator[Page]:
    """The mirror page, when the release was compared at all."""
    if catalogue.release.compared.mirrors:
        yield Page("mirror", "mirror.html", partial(_content, catalogue), _name)


def _name(words: Words) -> str:
    return str(texts("mirror", words.lang)["title"])


def _content(catalogue: Catalogue, words: Words) -> Content:
    mirrors, said = catalogue.release.compared.mirrors, texts("mirror", words.lang)
    states = pd.concat([table["comparison"] for table in mirrors.values()]).value_counts()
    counts = {state: int(states.get(state, 0)) for state in _STATES}
    corridors = {kind: _compared(table) for kind, table in mirrors.items()}
    return {
        "m": said,
        "counts": {state: words.number(count) for state, count in counts.items()},
        "corridors": words.number(sum(_distinct(table) for table in corridors.values())),
        "kinds": [_kind(catalogue, kind, table, words) for kind, table in corridors.items() if len(table)],
        "silent": words.listed([said["kinds"][kind] for kind, table in mirrors.items() if not len(table)]),
        "rules": list(_rules(catalogue, words)),
        "files": [path for kind in mirrors for path in _files(kind) if path in catalogue.written],
    }


def _files(kind: str) -> tuple[str, str]:
    return f"reports/mirror/{kind}.csv", f"reports/mirror/{kind}.json"


def _compared(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["comparison"] == "compared"]


def _distinct(table: pd.DataFrame) -> int:
    return len(table[_CORRIDOR].drop_duplicates())


def _kind(catalogue: Catalogue, kind: str, table: pd.DataFrame, words: Words) -> Content:
    """One kind of corridor: of each corridor the pair that is farthest apart, the farthest corridors first."""
    whole = table[table["sex"] == _TOTAL]
    farthest = (whole if len(whole) else table).sort_values("cc", ascending=False, kind="stable")
    shown = farthest.drop_duplicates(_CORRIDOR).head(_SHOWN)
    said = texts("mirror", words.lang)
    corridors = words.number(_distinct(table))
    return {
        "id": kind,
        "title": said["largest"].format(kind=said["kinds"][kind]),
        "lead": said["largest_lead"].format(n=corridors, shown=words.number(len(shown))),
        "rows": [_row(catalogue, row, words) for row in shown.to_dict("records")],
    }


def _row(catalogue: Catalogue, row: dict[Any, Any], words: Words) -> Content:
    countries, sources = (catalogue.library.list_of(each) for each in ("COUNTERPART_AREA", "SOURCE_TYPE"))
    reasons = texts("mirror", words.lang)["reasons"]
    sides = [
        {
            "figure": words.number(row[f"{side}_figure"]),
            "period": words.period(row[f"{side}_period"]),
            "source": words.code(sources, row[f"{side}_source_type"]),
        }
        for side in ("origin", "destination")
    ]
    return {
        "origin": words.code(countries, row["origin"]),
        "destination": words.code(countries, row["destination"]),
        "place": row["place"],
        "sides": sides,
        "ratio": words.number(row["ratio"], 2) if pd.notna(row["ratio"]) else "",
        "cc": words.number(row["cc"], 2),
        "severity": row["severity"],
        "differences": [reasons[each]["name"] for each in row["differences"].split()],
    }


def _rules(catalogue: Catalogue, words: Words) -> Iterator[Content]:
    """Each rule between tables with the pairs that it compared, those that it could not, and what it found."""
    compared = catalogue.release.compared
    for rule in sorted({rule.id for rule in across.rules(catalogue.library)}):
        pairs = compared.counts[compared.counts["rule"] == rule]
        made = int(pairs.loc[pairs["state"] == "compared", "pairs"].sum())
        yield {
            "code": rule,
            "title": catalogue.library.issue_types[rule].title,
            "compared": words.number(made),
            "withheld": words.number(int(pairs["pairs"].sum()) - made),
            "faults": words.number(int((compared.findings["rule"] == rule).sum())),
        }
