"""The rules of a dataflow as a Great Expectations suite, and its machine verdict on what was received.

Two engines judge the same table: `validate`, which names cells, and GX, which gives the declared
suite and a record that other tools read. Tables above a million rows are judged on the counts of
`validate` alone. GX states each rule on its own: a row with an unknown code also stands under the
rules that `validate` holds back for it.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.expectations import FRACTION, OWN, Expectation, counted, expectations
from pipeline.framework import Dataflow
from pipeline.linked import together
from pipeline.model import Library, Observations, Report
from pipeline.plain import as_json
from pipeline.workers import beside

Key = tuple[str, str]  # area, dataflow
Result = dict[str, Any]
Verdict = Mapping[str, object]
Verdicts = Callable[[], Mapping[Key, Verdict]]
Judge = Callable[[Mapping[Key, Report]], Verdicts]

_ROWS = 1_000_000
_OF_WHOLE_TABLES = ("expect_compound_columns_to_be_unique", "expect_table_columns_to_match_set")
_ORIGINS = ("CITIZENSHIP", "COUNTRY_BIRTH", "COUNTERPART_AREA")


def write(flow: Dataflow, library: Library) -> bytes:
    """The suite of a dataflow as JSON that GX reads, the same for the same framework."""
    content = {
        "name": flow.id,
        "meta": {"dataflow": flow.id, "structure": flow.structure.id},
        "expectations": [each.configuration() for each in expectations(flow, library)],
    }
    return as_json(content)


def begin(received: Iterable[Observations], library: Library) -> Judge:
    """Begin to judge every delivery in one ephemeral context, without network, telemetry or files.

    It is done beside what this process does next: importing GX and judging rows takes a core half a minute for
    seventy tables, and nothing needs the verdicts before they are written. Where all tables are too large for GX,
    nothing is to be done before the counts are there.

    GX takes a hundredth of a second for each expectation however small the table, so all countries
    of a dataflow are judged together, and one by one only under the expectations that then fail.

    Returns:
        What takes the final reports, whose counts some expectations are judged on, and returns what waits for the
        verdicts. By (area, dataflow): whether every critical expectation holds, and for each expectation its
        rule, severity, verdict and count of faults. No values are kept: a list could show a count.
    """
    deliveries = {(each.area, each.flow.id): each for each in received}
    if not deliveries:
        return unjudged
    asked = {key: _asked(each, library) for key, each in deliveries.items()}
    every = list({each.name: each for rules in asked.values() for each in rules}.values())
    sizes = {key: len(each.frame) for key, each in deliveries.items()}
    small = {key: each for key, each in deliveries.items() if sizes[key] <= _ROWS}
    with_counts = partial(_with_counts, every=every, asked=asked)
    begun = beside(partial(_on_rows, small, library), with_counts) if small else None  # and no row is kept here

    def judge(reports: Mapping[Key, Report]) -> Verdicts:
        told = {key: (_counts(every, reports[key]), set(reports[key].applied)) for key in sizes}
        waiting = (begun or beside(partial(_on_rows, {}, library), with_counts))(told)

        def verdicts() -> dict[Key, Verdict]:
            results = waiting()
            return {key: _verdict(size, results[key]) for key, size in sizes.items()}

        return verdicts

    return judge


def unjudged(_: Mapping[Key, Report]) -> Verdicts:
    """What judges nothing."""
    return dict


def _on_rows(deliveries: Mapping[Key, Observations], library: Library) -> tuple[Any, dict[Key, list[Result]]]:
    """The engine, and what it says of the rows of each delivery."""
    engine = _engine()
    results: dict[Key, list[Result]] = {key: [] for key in deliveries}
    for flow in dict.fromkeys(flow for _, flow in deliveries):
        same = {key: each for key, each in deliveries.items() if key[1] == flow}
        rules = [rule for rule in expectations(library.dataflows[flow], library) if rule.table == "observations"]
        results |= _of_flow(engine, same, rules)
    return engine, results


def _with_counts(
    found: tuple[Any, dict[Key, list[Result]]],
    told: Mapping[Key, tuple[pd.DataFrame, set[str]]],
    *,
    every: Sequence[Expectation],
    asked: Mapping[Key, list[Expectation]],
) -> dict[Key, list[Result]]:
    """All results: those on counts, in the order of the delivery's own rules, before those on rows."""
    engine, on_rows = found
    on_counts = _together(engine, {key: counts for key, (counts, _) in told.items()}, every)
    results = {}
    for key, (_, applied) in told.items():
        by_name = dict(zip((each.name for each in every), on_counts[key], strict=True))
        mine = dict.fromkeys(each.name for each in asked[key] if each.rule in applied)
        results[key] = [by_name[name] for name in mine] + on_rows.get(key, [])
    return results


def _of_flow(
    engine: Any, deliveries: Mapping[Key, Observations], rules: Sequence[Expectation]
) -> dict[Key, list[Result]]:
    return _together(engine, {key: _plain(each) for key, each in deliveries.items()}, rules)


def _asked(observations: Observations, library: Library) -> list[Expectation]:
    """What the counts of `validate` are to say: what GX cannot judge itself, or all for a large table."""
    every = expectations(observations.flow, library)
    if len(observations.frame) > _ROWS:
        return list({each.name: counted(each.rule, each.severity) for each in every}.values())
    return [each for each in every if each.table == "counts"]


def _together(engine: Any, tables: Mapping[Key, pd.DataFrame], rules: Sequence[Expectation]) -> dict[Key, list[Result]]:
    """The results for each table, from all tables at once as far as they go."""
    if len(tables) < 2 or sum(map(len, tables.values())) > _ROWS:
        return {key: _results(engine, table, rules) for key, table in tables.items()}
    whole = together(list(tables.values()))
    shared = _results(engine, whole, rules)
    failing = [rule for rule, result in zip(rules, shared, strict=True) if not result["success"]]
    by_row = [rule for rule in failing if rule.type not in _OF_WHOLE_TABLES]
    faults = iter(_faults(engine, whole, by_row, [len(table) for table in tables.values()]))
    own = [next(faults) if rule in by_row else None for rule in failing]
    found: dict[Key, list[Result]] = {}
    for number, (key, table) in enumerate(tables.items()):
        alone = iter(_results(engine, table, [rule for rule in failing if rule not in by_row]))
        told = iter([next(alone) if counts is None else int(counts[number]) for counts in own])
        found[key] = [result if result["success"] else _own(result, next(told)) for result in shared]
    return found


def _own(shared: Result, told: Result | int) -> Result:
    """The result of one table under an expectation that some table fails."""
    return told if isinstance(told, dict) else {**shared, "success": told == 0, "unexpected": told}


def _faults(
    engine: Any, whole: pd.DataFrame, rules: Sequence[Expectation], sizes: Sequence[int]
) -> list[npt.NDArray[np.int64]]:
    """For each expectation, the number of faults in each of the tables that stand below each other."""
    ends = np.cumsum(sizes)
    found = _judged(engine, whole, rules, "COMPLETE") if rules else []
    rows = [np.array(each.result["unexpected_index_list"], dtype=np.int64) for each in found]
    return [np.bincount(np.searchsorted(ends, each, side="right"), minlength=len(sizes)) for each in rows]


def _verdict(rows: int, results: list[Result]) -> Verdict:
    is_fit = all(result["success"] for result in results if result["severity"] == "critical")
    return {"success": is_fit, "rows": rows, "results": results}


def _engine() -> Any:
    """An ephemeral context's way to take a frame. The import takes seconds: it waits for the first table."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # older versions call home
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of modules that GX imports
        import great_expectations as gx
        from great_expectations.data_context.types.base import ProgressBarsConfig
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    logging.getLogger("great_expectations").setLevel(logging.ERROR)  # its import has set it to say everything
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("tables").add_dataframe_asset("table")
    return asset.add_batch_definition_whole_dataframe("all")


def _results(engine: Any, frame: pd.DataFrame, asked: Sequence[Expectation]) -> list[Result]:
    found = _judged(engine, frame, asked, "BASIC") if asked else []
    return [_result(rule, each) for rule, each in zip(asked, found, strict=True)]


def _judged(engine: Any, frame: pd.DataFrame, asked: Sequence[Expectation], form: str) -> list[Any]:
    """What GX says of each expectation, in the order asked."""
    from great_expectations import ExpectationSuite

    numbered = [each.configuration() for each in asked]
    for number, configuration in enumerate(numbered):  # GX gives its results in an order of its own
        configuration["meta"]["number"] = number
    rules = ExpectationSuite(name="rules", expectations=numbered)
    if len(rules.expectations) != len(asked):
        raise RuntimeError("Great Expectations does not know an expectation of the suite")
    batch = engine.get_batch(batch_parameters={"dataframe": frame})
    found = batch.validate(rules, result_format=form).results
    return sorted(found, key=lambda result: int(result.expectation_config.meta["number"]))


def _result(asked: Expectation, found: Any) -> Result:
    """What is kept of a GX result: no values, ids or times."""
    if any(each["raised_exception"] for each in _exceptions(found.exception_info)):
        raise RuntimeError(f"Great Expectations could not judge {asked.rule} ({asked.type}): {found.exception_info}")
    configuration = asked.configuration()
    return {
        "rule": asked.rule,
        "severity": configuration["severity"],
        "expectation": asked.type,
        "columns": asked.columns,
        "table": asked.table,
        "success": bool(found.success),
        "unexpected": found.result.get("unexpected_count", 0),
    }


def _exceptions(info: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return [info] if "raised_exception" in info else list(info.values())


def _counts(asked: Iterable[Expectation], report: Report) -> pd.DataFrame:
    """One row: cells at fault under each rule, by severity; nothing for a rule that was not applied."""
    counts = {each.name: 0 if each.rule in report.applied else None for each in asked}
    for issue in report.issues:
        count = counts.get(f"{issue.code} {issue.severity}")
        if count is not None:
            counts[f"{issue.code} {issue.severity}"] = count + issue.count
    return pd.DataFrame([counts], dtype="float64")


def _plain(observations: Observations) -> pd.DataFrame:
    """The table as GX reads it: words by their codes, with nulls for blanks, and the added columns."""
    frame = observations.frame
    plain = pd.DataFrame(index=pd.RangeIndex(len(frame)))
    for column in (*observations.flow.structure.components, "text"):
        if column not in frame:
            plain[column] = pd.Series(None, index=plain.index, dtype="category")
        elif pd.api.types.is_numeric_dtype(frame[column].dtype):
            plain[column] = frame[column].to_numpy()
        else:
            words = frame[column].reset_index(drop=True).astype("category").cat
            plain[column] = words.set_categories(words.categories.difference([""]))
    country = plain["REF_AREA"].astype("str").str.slice(0, 2)
    for column in filter(plain.columns.__contains__, _ORIGINS):
        plain[column + OWN] = (plain[column].astype("str") == country).astype("int8")
    plain[FRACTION] = plain["OBS_VALUE"] % 1
    return plain
