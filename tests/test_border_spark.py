"""Both engines say the same: every file of a run, by DuckDB and by Spark. Skipped where PySpark is not installed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline.methods.border import Asked, border, synthetic

pytest.importorskip("pyspark", reason="PySpark is not installed")
if shutil.which("java") is None:
    pytest.skip("there is no Java", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings("default")  # Spark brings its own


def files(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {path.name: path.read_bytes() for path in folder.rglob("*.csv")}
    return found | {path.name: pq.read_table(path).to_pylist() for path in folder.glob("*.parquet")}


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_both_engines_write_the_same(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / "crossings.parquet"
    synthetic.write(path, 3000, seed=4)
    if suffix == ".csv":
        pq.read_table(path).to_pandas().to_csv(tmp_path / "crossings.csv", index=False)
        path = tmp_path / "crossings.csv"
    (tmp_path / "deaths.csv").write_text("person_id,death_date\n")
    some = sorted({row["person_id"] for row in pq.read_table(tmp_path / "crossings.parquet").slice(0, 200).to_pylist()})
    (tmp_path / "status.csv").write_text("person_id,initial_status\n" + "".join(f"{key},R\n" for key in some))
    runs = {}
    for engine in ("duckdb", "spark"):
        options: dict[str, Any] = {"initial_status": tmp_path / "status.csv", "deaths": tmp_path / "deaths.csv"}
        options |= {"sensitivity": True, "permitted_days": 180, "link_documents": True, "uncontrolled": ["XX_S1"]}
        asked = Asked(path, tmp_path / engine, "2024-06-30", engine=engine, memory="1GB", **options)
        assert border(asked).is_fit
        runs[engine] = files(tmp_path / engine)
    assert runs["spark"].keys() == runs["duckdb"].keys()
    assert [name for name in runs["duckdb"] if runs["spark"][name] != runs["duckdb"][name]] == []
