"""The release that stands: what it published stays when a new delivery cannot go out."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.errors import PublishError
from pipeline.framework import Dataflow
from pipeline.package import metadata_path


def load(public: Path, flow: Dataflow, area: str) -> tuple[pd.DataFrame, dict[str, Any]] | None:
    """The table and record of one country and dataflow as `public` has them; None where it has none.

    Raises:
        PublishError: the files are not those that the release's manifest lists.
    """
    record_path = metadata_path(flow.id, area)
    table_path = f"{record_path.rpartition('/')[0]}/data.csv"
    if not (public / record_path).exists() or not (public / table_path).exists():
        return None
    listed = json.loads((public / "manifest.json").read_text(encoding="utf-8"))["files"]
    for path in (record_path, table_path):
        checksum = hashlib.sha256((public / path).read_bytes()).hexdigest()
        if listed.get(path, {}).get("sha256") != checksum:
            raise PublishError(f"{path} of the standing release has been changed since it was published.")
    table = pd.read_csv(public / table_path, dtype=str, keep_default_na=False, na_filter=False)
    return table, json.loads((public / record_path).read_text(encoding="utf-8"))
