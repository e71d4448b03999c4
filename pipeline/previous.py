"""The release that stands: what it published stays when a new delivery cannot go out."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import report, vintages
from pipeline.errors import PublishError
from pipeline.formats import lineage, table
from pipeline.formats.columns import without_guards
from pipeline.framework import Dataflow
from pipeline.model import LINEAGE
from pipeline.package import metadata_path


@dataclass(frozen=True)
class Standing:
    """One country and dataflow as the standing release has them.

    `table` is the text of its `data.csv` with the cell of each row; `record` its `metadata.json`;
    `report` the machine record of its validation, blank where there is none, as is `revisions`, the table of
    what its figures changed of those before.
    """

    table: pd.DataFrame
    record: dict[str, Any]
    report: bytes
    revisions: bytes = b""

    @property
    def vintage(self) -> str:
        """The release that its figures came with."""
        return str(self.record["description"]["vintage"])


def load(public: Path, flow: Dataflow, area: str) -> Standing | None:
    """What `public` has of one country and dataflow; None where it has nothing.

    Raises:
        PublishError: a file is absent or is not the one that the release's manifest lists.
    """
    record_path = metadata_path(flow.id, area)
    if not (public / record_path).exists():
        return None
    listed = json.loads((public / "manifest.json").read_text(encoding="utf-8"))["files"]

    def read(path: str) -> bytes:
        content = (public / path).read_bytes() if (public / path).is_file() else b""
        if listed.get(path, {}).get("sha256") != hashlib.sha256(content).hexdigest():
            raise PublishError("{path} of the standing release has been changed since it was published.", path=path)
        return content

    content = io.BytesIO(read(table.FORMAT.path(flow.id, area)))
    figures = pd.read_csv(content, dtype=str, keep_default_na=False, na_filter=False)
    words = [name for name in map(str, figures) if flow.structure.components[name].is_word]
    figures = without_guards(figures.astype(dict.fromkeys(words, "category")))
    cells = pd.read_parquet(io.BytesIO(read(lineage.FORMAT.path(flow.id, area))))
    told, revised = (
        read(path) if path in listed else b""
        for path in (report.record_path(area, flow.id), vintages.path(area, flow.id))
    )
    return Standing(figures.join(cells[list(LINEAGE)]), json.loads(read(record_path)), told, revised)
