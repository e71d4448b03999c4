"""The rules of a dataflow in the words of Great Expectations.

They are compiled from the structure, the allowed content and `dsd/rules.csv`, without the functions
of `pipeline.checks`. What GX cannot say about a table (sums, agreements, the release day) is said of
a table of one row: the number of cells that `validate` found at fault under each rule, which must
be zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, product
from typing import Any, Literal

from pipeline import conditions
from pipeline.checks.structural import PERIODS
from pipeline.conditions import Clause
from pipeline.framework import Dataflow, Rule, Severity
from pipeline.model import Library

FRACTION = "OBS_FRACTION"  # column added for GX: what stands after the decimal point
OWN = "_IS_OWN"  # ending of columns added for GX: 1 where the component is the reporting country itself

_SEVERITY: Mapping[Severity, str] = {"E": "critical", "W": "warning", "I": "info"}
_COUNTED = frozenset(
    (
        "agreement",
        "attached",
        "authority",
        "period",
        "sum",
        "hierarchy",
        "tree",
        "detail",
        "areas",
        "difference",
        "periods",
        "carried",
        "within",
        "working_age",
        "ratio",
        "jump",
        "outlier",
        "splice",
        "flat",
        "heaping",
        "exchanged",
        "reliability",
        "product",
    )
)

Kind = tuple[str, dict[str, Any]]  # name of the expectation without its `expect_`, and its arguments


@dataclass(frozen=True)
class Expectation:
    """One expectation in the words of GX, and the rule it stands for. `table` says what it judges."""

    rule: str
    severity: Severity
    type: str
    kwargs: Mapping[str, Any]
    table: Literal["observations", "counts"] = "observations"

    @property
    def name(self) -> str:
        """Rule and severity, as the columns of counts are called."""
        return f"{self.rule} {self.severity}"

    @property
    def columns(self) -> list[str]:
        """The columns it is about."""
        several = self.kwargs.get("column_list") or self.kwargs.get("column_set")
        return list(several or [self.kwargs["column"]])

    def configuration(self) -> dict[str, Any]:
        """As GX writes it."""
        return {
            "type": self.type,
            "kwargs": dict(self.kwargs),
            "severity": _SEVERITY[self.severity],
            "meta": {"rule": self.rule, "table": self.table},
        }


def expectations(flow: Dataflow, library: Library) -> tuple[Expectation, ...]:
    """Every rule for received data of the dataflow."""
    found: list[Expectation] = []
    for rule in flow.rules:
        if rule.stage in ("received", "figures"):
            found += _of_rule(rule, flow, library)
    return tuple(found)


def counted(rule: str, severity: Severity) -> Expectation:
    """No cell is at fault under the rule, by the count of `validate`."""
    kwargs = {"column": f"{rule} {severity}", "value_set": [0]}
    return Expectation(rule, severity, "expect_column_values_to_be_in_set", kwargs, "counts")


def _of_rule(rule: Rule, flow: Dataflow, library: Library) -> Iterator[Expectation]:
    if rule.check in _COUNTED:
        severities: tuple[Severity, ...] = ("E", "W") if rule.check == "detail" else (rule.severity,)
        for severity in severities:
            yield counted(rule.id, severity)
    if rule.check in _KINDS:
        for kind, kwargs in _KINDS[rule.check](rule, flow, library):
            yield Expectation(rule.id, rule.severity, f"expect_{kind}", kwargs)


def _complete(rule: Rule, flow: Dataflow, library: Library) -> Iterator[Kind]:
    yield "table_columns_to_match_set", {"column_set": list(flow.structure.key), "exact_match": False}
    for component in flow.structure.key:
        yield "column_values_to_not_be_null", {"column": component}


def _codes(rule: Rule, flow: Dataflow, library: Library) -> Iterator[Kind]:
    for component in flow.structure.components.values():
        if component.codelist is not None:
            kwargs = {"column": component.id, "value_set": list(component.codelist.codes)}
            yield "column_values_to_be_in_set", kwargs


def _allowed(rule: Rule, flow: Dataflow, library: Library) -> Iterator[Kind]:
    """Codes outside are named, so that an unknown code stays the matter of STR-03.

    With several regions, a row may leave none of them: whatever puts it outside all but the last,
    it stays inside the last.
    """
    regions = flow.regions
    told = [c for c in dict.fromkeys(chain(*regions)) if any(r.get(c) != regions[0].get(c) for r in regions)]
    for component in regions[0]:
        if all(component in region for region in regions):
            inside = frozenset().union(*(region[component] for region in regions))
            kwargs = {"column": component, "value_set": _outside(flow, component, inside)}
            yield "column_values_to_not_be_in_set", kwargs
    if told:
        for *others, last in product(*([(c, r[c]) for c in told if c in r] for r in regions)):
            outside = [(c, tuple(_outside(flow, c, codes))) for c, codes in others]
            where = _where([_condition(Clause(c, "in", codes), frozenset(codes)) for c, codes in outside])
            kwargs = {"column": last[0], "value_set": _outside(flow, *last)}
            yield "column_values_to_not_be_in_set", kwargs | where


def _outside(flow: Dataflow, component: str, inside: frozenset[str]) -> list[str]:
    codelist = flow.structure.components[component].codelist
    return [code for code in codelist.codes if code not in inside] if codelist else []


def _unique(rule: Rule, flow: Dataflow, library: Library) -> Iterator[Kind]:
    kwargs = {"column_list": list(flow.structure.key), "ignore_row_if": "any_value_is_missing"}
    yield "compound_columns_to_be_unique", kwargs


def _mandatory(rule: Rule, flow: Dataflow, library: Library) -> Iterator[Kind]:
    for component in flow.structure.of_role("attribute"):
        if component.is_mandatory and component.attachment != "dataset":
            yield "column_values_to_not_be_null", {"column": component.id}


def _period(rule: Rule, flow: Dataflow, library: Library) -> Iterator[Kind]:
    for frequency, pattern in PERIODS.items():
        here = _where([_condition(Clause("FREQ", "in", (frequency,)), frozenset((frequency,)))])
        yield "column_values_to_match_regex", {"column": "TIME_PERIOD", "regex": f"^(?:{pattern})$"} | here


def _numeric(rule: Rule, flow: Dataflow, library: Library) -> Iterator[Kind]:
    yield "column_values_to_be_null", {"column": "text"}


def _own_country(rule: Rule, flow: Dataflow, library: Library) -> Iterator[Kind]:
    for component in rule.argument.split():
        yield "column_values_to_be_in_set", {"column": f"{component}{OWN}", "value_set": [0]}


def _unit(rule: Rule, flow: Dataflow, library: Library) -> Iterator[Kind]:
    measure = flow.structure.measure_dimension
    codelist = flow.structure.components[measure].codelist
    units = {code.id: code.notes.get("unit", "") for code in codelist.codes.values()} if codelist else {}
    allowed = [code for code in units if all(code in region.get(measure, units) for region in flow.regions)]
    for unit in sorted({units[code] for code in allowed} - {""}):
        codes = tuple(code for code in allowed if units[code] == unit)
        here = _where([_condition(Clause(measure, "in", codes), frozenset(codes))])
        yield "column_values_to_be_in_set", {"column": "UNIT_MEASURE", "value_set": [unit]} | here


def _conditional(rule: Rule, flow: Dataflow, library: Library) -> Iterator[Kind]:
    known = flow.structure.components
    when = conditions.parse(rule.when)
    if any(c.component not in known and c.operator not in ("not in", "empty") for c in when):
        return  # never applies to this structure
    where = [_condition(c, _selected(c, library)) for c in when if c.component in known]
    for clause in conditions.parse(rule.then):
        for kind, kwargs in _expected(clause, _selected(clause, library)):
            yield kind, kwargs | _where(where)


_KINDS: Mapping[str, Callable[[Rule, Dataflow, Library], Iterator[Kind]]] = {
    "complete": _complete,
    "codes": _codes,
    "allowed": _allowed,
    "unique": _unique,
    "mandatory": _mandatory,
    "period": _period,
    "numeric": _numeric,
    "own_country": _own_country,
    "unit": _unit,
    "condition": _conditional,
}


def _selected(clause: Clause, library: Library) -> frozenset[str]:
    return conditions.selected(clause.values, library.list_of(clause.component))


def _expected(clause: Clause, codes: frozenset[str]) -> Iterator[Kind]:
    column = {"column": clause.component}
    match clause.operator:
        case "in":
            yield "column_values_to_not_be_null", column
            yield "column_values_to_be_in_set", column | {"value_set": sorted(codes)}
        case "not in":
            yield "column_values_to_not_be_in_set", column | {"value_set": sorted(codes)}
        case "empty":
            yield "column_values_to_be_null", column
        case "not empty":
            yield "column_values_to_not_be_null", column
        case "whole":
            yield "column_values_to_be_in_set", {"column": FRACTION, "value_set": [0]}
        case ">=":
            yield "column_values_to_be_between", column | {"min_value": float(clause.values[0])}
        case _:
            yield "column_values_to_be_between", column | {"max_value": float(clause.values[0])}


def _condition(clause: Clause, codes: frozenset[str]) -> dict[str, Any]:
    """A clause of `when` as a GX row condition."""
    column = {"name": clause.component}
    match clause.operator:
        case "in" | "not in":
            operator = "IN" if clause.operator == "in" else "NOT_IN"
            return {"type": "comparison", "column": column, "operator": operator, "parameter": sorted(codes)}
        case "empty" | "not empty":
            return {"type": "nullity", "column": column, "is_null": clause.operator == "empty"}
        case "whole":
            column = {"name": FRACTION}
            return {"type": "comparison", "column": column, "operator": "==", "parameter": 0}
        case _:
            value = float(clause.values[0])
            return {"type": "comparison", "column": column, "operator": clause.operator, "parameter": value}


def _where(found: list[dict[str, Any]]) -> dict[str, Any]:
    if not found:
        return {}
    return {"row_condition": found[0] if len(found) == 1 else {"type": "and", "conditions": found}}
