"""Everything that a run writes: weights, estimates, margins, diagnostics, and national tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv

from pipeline.framework import LANGUAGES, Text
from pipeline.methods.survey import national
from pipeline.methods.survey.calibration import Distance, Solved
from pipeline.methods.survey.design import Design, Estimate, Wanted
from pipeline.methods.survey.estimates import Estimated, Precision, estimates
from pipeline.methods.survey.layout import CODES, layout, method
from pipeline.methods.survey.received import Delivery, issue
from pipeline.methods.survey.statistics import Statistics, statistics
from pipeline.methods.survey.variance import Weighted
from pipeline.model import Issue

if TYPE_CHECKING:
    from pipeline.methods.survey import Asked

_LEAST_RELIABLE = 0.5  # of the cells of a table (INE Chile, framework §10.3)


@dataclass(frozen=True)
class Run:
    """What was run: the options, the design, the records, and the weights that came of them."""

    asked: Asked
    design: Design
    delivery: Delivery
    weighted: Weighted
    kept: Distance
    solved: Solved
    measures: dict[str, float]

    def told(self, of: Statistics) -> Estimated:
        """Statistics with their precision."""
        assert self.delivery.sample is not None
        design = self.design
        grades = self.asked.standards.get(design.standard, ())
        precision = Precision(grades, design.has_known_domains, design.is_df_justified)
        return estimates(
            of,
            self.delivery.sample,
            self.weighted,
            kept=self.kept,
            design=design,
            precision=precision,
            start=self.solved.multipliers,
        )


def write(folder: Path, run: Run, margins: pd.DataFrame) -> Iterator[Issue]:
    """Write the files of a run to a folder; yields what the office must know of its statistics."""
    _weights(folder / "weights.csv", run)
    margins.to_csv(folder / "margins.csv", index=False)
    asked = Statistics(len(run.delivery.frame))
    wanted = run.design.estimates or _usual(run)
    for variable, missing in dict(statistics(wanted, run.delivery.frame, asked)).items():
        if missing:
            yield issue("CAL-16", "W", run.delivery.name, variable, str(missing), count=missing)
    told = run.told(asked)
    run.measures.update(replicates=told.replicates, replicates_failed=told.failed)
    if told.failed:
        yield issue("CAL-17", "W", run.delivery.name, str(told.failed), str(told.replicates + told.failed))
    told.table.insert(0, "method", run.asked.method)
    told.table.to_csv(folder / "estimates.csv", index=False)
    measures = pd.Series(run.measures, dtype=object)
    pd.DataFrame({"measure": measures.index, "value": measures.to_numpy()}).to_csv(
        folder / "diagnostics.csv", index=False
    )
    if run.asked.area and run.design.tables:
        yield from _national(folder / "national", run)


def _usual(run: Run) -> tuple[Estimate, ...]:
    """Persons, and persons by each control that has categories: what a design without statistics is told."""
    by = [tuple(each.name.split(":")) for each in run.delivery.variables if each.values is None]
    return (Estimate("total"), *(Estimate("total", by=each) for each in by))


def _weights(path: Path, run: Run) -> None:
    """A row for each record, in its order. It stays in the office."""
    assert run.delivery.ids is not None
    weighted = run.weighted
    ids = run.delivery.ids.astype(str)
    table = pa.table({"id": pa.array(ids), "g": weighted.g[weighted.pattern], "weight": weighted.weights})
    pa_csv.write_csv(table, path, write_options=pa_csv.WriteOptions(quoting_style="needed"))


def _national(folder: Path, run: Run) -> Iterator[Issue]:
    folder.mkdir()
    for wanted in run.design.tables:
        cells = run.told(national.statistics(wanted, run.design, run.delivery.frame, run.asked.area)).table
        national.table(wanted, cells).to_csv(folder / f"{wanted.flow}.csv", index=False)
        facts, said = _facts(run, wanted, cells)
        text = layout(
            wanted,
            run.design,
            dimensions=run.asked.dimensions[wanted.flow],
            facts=facts,
            said=said,
            phrases=run.asked.phrases,
        )
        (folder / f"{wanted.flow}.toml").write_text(text, encoding="utf-8")
        reliable = float((cells["reliability"] == "R").mean())
        if reliable < _LEAST_RELIABLE:
            found = f"{wanted.flow} {100 * reliable:.0f} %"
            yield issue("CAL-18", "W", run.delivery.name, found, f"{100 * _LEAST_RELIABLE:.0f} %")
    (folder / "codes.csv").write_text(CODES, encoding="utf-8")


def _facts(run: Run, wanted: Wanted, cells: pd.DataFrame) -> tuple[Mapping[str, str], Mapping[str, Text]]:
    """What a layout says of a run: words, and words that differ by language."""
    asked, measures = run.asked, run.measures
    counts = cells["reliability"].value_counts()
    facts = {
        "area": asked.area,
        "provider": asked.provider,
        "licence": asked.licence,
        "method": method(asked.method, len(run.delivery.variables)),
        "variables": ", ".join(each.name.replace(":", " × ") for each in run.delivery.variables),
        "margins": f"{measures['margins']:.0f}",
        "date": run.design.controls_date or "–",
        "difference": f"{measures['largest_relative_difference']:.0e}",
        "lowest": f"{measures['g_p0']:.3f}",
        "highest": f"{measures['g_p100']:.3f}",
        "beyond": f"{measures['g_beyond_half_and_double_percent']:.1f}",
        "kish": f"{measures['kish']:.3f}",
        "kish_base": f"{measures['kish_base']:.3f}",
        "records": f"{measures['records']:.0f}",
        "clusters": str(len(np.unique(run.delivery.sample.cluster))) if run.delivery.sample else "",
        "standard": run.design.standard.replace("_", " "),
        **{f"cells_{label}": str(int(counts.get(label, 0))) for label in "RWN"},
    }
    source = run.design.controls_source or dict.fromkeys(LANGUAGES, "–")
    way = asked.phrases[f"survey_method_{asked.method}"]
    again = asked.phrases[f"survey_replicates_{run.design.replicates}"]
    filled = {lang: again[lang].format(replicates=f"{measures['replicates']:.0f}") for lang in LANGUAGES}
    return facts, {"source": source, "way": way, "again": filled}
