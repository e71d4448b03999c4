"""The rules of a dataflow as a Great Expectations suite, and its machine verdict on what was received.

Two engines judge the same table: `validate`, which names cells, and GX, which gives the declared
suite and a record that other tools read. Tables above a million rows are judged on the counts of
`validate` alone. GX states each rule on its own: a row with an unknown code also stands under the
rules that `validate` holds back for it.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from pipeline.expectations import COUNTRY, FRACTION, Expectation, counted, expectations
from pipeline.framework import Dataflow
from pipeline.model import Library, Observations, Report

Verdict = Mapping[str, object]

_ROWS = 1_000_000


def write(flow: Dataflow, library: Library) -> bytes:
    """The suite of a dataflow as JSON that GX reads, the same for the same framework."""
    content = {
        "name": flow.id,
        "meta": {"dataflow": flow.id, "structure": flow.structure.id},
        "expectations": [each.configuration() for each in expectations(flow, library)],
    }
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def run(
    received: Iterable[Observations], library: Library, reports: Mapping[tuple[str, str], Report]
) -> dict[tuple[str, str], Verdict]:
    """Judge every delivery in one ephemeral context, without network, telemetry or files.

    Returns:
        By (area, dataflow): whether every critical expectation holds, and for each expectation its
        rule, severity, verdict and counts. No values are kept: a list of them could show a count.
    """
    every = list(received)
    engine = _engine() if every else None
    return {
        (each.area, each.flow.id): _judge(engine, each, library, reports[each.area, each.flow.id])
        for each in every
    }


def _engine() -> Any:
    """An ephemeral context's way to take a frame. The import takes seconds: it waits for the first table."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # older versions call home
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of modules that GX imports
        import great_expectations as gx
        from great_expectations.data_context.types.base import ProgressBarsConfig
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("tables").add_dataframe_asset("table")
    return asset.add_batch_definition_whole_dataframe("all")


def _judge(engine: Any, observations: Observations, library: Library, report: Report) -> Verdict:
    asked = expectations(observations.flow, library)
    if len(observations.frame) > _ROWS:
        asked = tuple(dict.fromkeys(counted(each.rule, each.severity) for each in asked))
    of_counts = [each for each in asked if each.table == "counts" and each.rule in report.applied]
    of_rows = [each for each in asked if each.table == "observations"]
    results = _results(engine, _counts(of_counts, report), of_counts)
    results += _results(engine, _plain(observations), of_rows) if of_rows else []
    return {
        "success": all(result["success"] for result in results if result["severity"] == "critical"),
        "rows": len(observations.frame),
        "results": results,
    }


def _results(engine: Any, frame: pd.DataFrame, asked: Sequence[Expectation]) -> list[dict[str, Any]]:
    from great_expectations import ExpectationSuite

    rules = ExpectationSuite(name="rules", expectations=[each.configuration() for each in asked])
    if len(rules.expectations) != len(asked):
        raise RuntimeError("Great Expectations does not know an expectation of the suite")
    batch = engine.get_batch(batch_parameters={"dataframe": frame})
    found = batch.validate(rules, result_format="SUMMARY").results
    return [_result(each, result) for each, result in zip(asked, found, strict=True)]


def _result(asked: Expectation, found: Any) -> dict[str, Any]:
    """What is kept of a GX result: no values, ids or times."""
    if found.expectation_config.type != asked.type or any(
        each.get("raised_exception") for each in _exceptions(found.exception_info)
    ):
        raise RuntimeError(
            f"Great Expectations could not judge {asked.rule} ({asked.type}): {found.exception_info}"
        )
    configuration = asked.configuration()
    return {
        "rule": asked.rule,
        "severity": configuration["severity"],
        "expectation": asked.type,
        "columns": asked.columns,
        "table": asked.table,
        "success": bool(found.success),
        "evaluated": found.result.get("element_count", 1),
        "unexpected": found.result.get("unexpected_count", 0),
    }


def _exceptions(info: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return [info] if "raised_exception" in info else list(info.values())


def _counts(asked: Sequence[Expectation], report: Report) -> pd.DataFrame:
    """One row: cells at fault under each rule, by severity."""
    counts = {each.kwargs["column"]: 0 for each in asked}
    for issue in report.issues:
        column = f"{issue.code} {issue.severity}"
        if column in counts:
            counts[column] += issue.count
    return pd.DataFrame([counts])


def _plain(observations: Observations) -> pd.DataFrame:
    """The table as GX reads it: text columns with nulls for blanks, and two derived columns."""
    frame = observations.frame
    plain = pd.DataFrame(index=pd.RangeIndex(len(frame)))
    for column in (*observations.flow.structure.components, "text"):
        if column not in frame:
            plain[column] = None
        elif pd.api.types.is_numeric_dtype(frame[column].dtype):
            plain[column] = frame[column].to_numpy()
        else:
            words = frame[column].astype("str").reset_index(drop=True)
            plain[column] = words.mask(words == "")
    plain[COUNTRY] = plain["REF_AREA"].str.slice(0, 2)
    plain[FRACTION] = plain["OBS_VALUE"] % 1
    return plain
