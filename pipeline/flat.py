"""The issues of a delivery as one flat table, for spreadsheets: `site/assets/issues.schema.json` says its columns."""

from __future__ import annotations

import csv
import io

from pipeline.model import Report
from pipeline.report import ordered, with_first_cells

_COLUMNS = (
    "area",
    "dataflow",
    "code",
    "severity",
    "waiver",
    "component",
    "expected",
    "file",
    "sheet",
    "heading",
    "cells",
    "count",
)


def path(area: str, flow: str) -> str:
    """Where a release keeps the table, beside the record in JSON."""
    return f"reports/{area}/{flow}.csv"


def table(report: Report) -> bytes:
    """One row an issue, the gravest first; what was found stays with the office, as in the record."""
    file = io.StringIO()
    lines = csv.DictWriter(file, _COLUMNS, lineterminator="\n", extrasaction="ignore")
    lines.writeheader()
    for issue in map(with_first_cells, ordered(report)):
        cells = {"cells": " ".join(issue.cells), "dataflow": issue.flow}
        lines.writerow({**vars(issue), **cells})
    return file.getvalue().encode()
