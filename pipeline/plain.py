"""Records as bytes: JSON and CSV as every file of a release has them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable


def as_json(content: object) -> bytes:
    """Indented JSON in UTF-8, with a line end."""
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def as_csv(header: Iterable[object], rows: Iterable[Iterable[object]]) -> bytes:
    """A line of headings and the rows, in UTF-8 with plain line ends."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()
