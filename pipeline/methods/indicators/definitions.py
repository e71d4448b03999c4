"""What is wrong with the definitions of indicators before any figure is seen: formulas and circles among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from pipeline import conditions
from pipeline.computed import Indicator, IndicatorInput, Indicators
from pipeline.errors import SetupError
from pipeline.framework import Codelist, Structure
from pipeline.methods.indicators.formula import Call, Expression, Name, Number, Operation, names, parse
from pipeline.model import Issue

FORMULA, CIRCLE = "IND-02", "IND-03"
LISTED = "indicators"  # the number of the other indicators of the list with I and SDG
TIME = "TIME_PERIOD"
_COUNTED = ("I", "SDG_")


@dataclass(frozen=True)
class Definitions:
    """The formulas of `of`, read, in an order in which each comes after those that it needs."""

    of: Indicators
    formulas: Mapping[str, Expression]
    order: tuple[str, ...]

    def inputs(self, indicator: str) -> tuple[IndicatorInput, ...]:
        """The inputs that a formula names, each once."""
        named = dict.fromkeys(names(self.formulas[indicator]))
        return tuple(self.of.inputs[name] for name in named if name != LISTED)

    def listed(self, indicator: str) -> float:
        """How many other indicators the list has that a country could fill."""
        return float(sum(1 for each in self.of.rows if each.startswith(_COUNTED) and each != indicator))


def definitions(of: Indicators, structure: Structure) -> tuple[Definitions, tuple[Issue, ...]]:
    """Read every formula. What cannot be read, or runs in a circle, is an issue and no part of the result."""
    formulas: dict[str, Expression] = {}
    issues: list[Issue] = []
    for each in of.rows.values():
        try:
            if each.formula:
                formulas[each.id] = _formula(each, of, structure)
        except SetupError as error:
            issues.append(_issue(FORMULA, of, each, str(error)))
    needs = {each: {n for n in _needed(formula, of, structure) if n in formulas} for each, formula in formulas.items()}
    while True:
        try:
            order = tuple(TopologicalSorter(needs).static_order())
        except CycleError as error:
            circle = list(reversed(error.args[1]))
            issues.append(_issue(CIRCLE, of, of.rows[circle[0]], " → ".join(circle)))
            needs = {each: below - set(circle) for each, below in needs.items() if each not in circle}
            formulas = {each: formula for each, formula in formulas.items() if each not in circle}
        else:
            return Definitions(of, formulas, order), tuple(issues)


def _issue(code: str, of: Indicators, each: Indicator, found: str) -> Issue:
    return Issue(
        code, "E", "", of.flow, f"{each.id}: {found}", "", file=f"dsd/{of.flow}/indicators.csv", cells=(f"B{each.row}",)
    )


def _formula(each: Indicator, of: Indicators, structure: Structure) -> Expression:
    formula = parse(each.formula)
    for name in names(formula):
        if name not in of.inputs and name != LISTED:
            raise SetupError(
                '"{name}" is no input; those are the names in dsd/{flow}/inputs.csv', name=name, flow=of.flow
            )
    left = set(_dimensions(formula, of) or ()) - {TIME, *structure.dimensions}
    if left:
        raise SetupError(
            "the result is told apart by {dimensions}, which indicators are not: add over=",
            dimensions=", ".join(sorted(left)),
        )
    if "REF_AREA" not in (_dimensions(formula, of) or ()):
        raise SetupError("the result is of no country: it needs an input by REF_AREA")
    return formula


def _dimensions(formula: Expression, of: Indicators) -> tuple[str, ...] | None:
    """What the figures of a formula are told apart by; None of a number.

    Raises:
        SetupError: a function adds up over a dimension that is not there, or joins what does not fit.
    """
    match formula:
        case Number() | Name(name="indicators"):
            return None
        case Name(name):
            return (*of.inputs[name].by, TIME)
        case Operation(_, left, right):
            sides = [side for side in (_dimensions(left, of), _dimensions(right, of)) if side is not None]
            return tuple(dict.fromkeys(name for side in sides for name in side)) if sides else None
        case Call(function, parts, over):
            return _called(function, [_dimensions(part, of) for part in parts], over)
    raise TypeError(formula)


def _called(function: str, parts: list[tuple[str, ...] | None], over: tuple[str, ...]) -> tuple[str, ...]:
    first = parts[0]
    if any(part is None for part in parts) or first is None:
        raise SetupError("{function} needs an input, not a number", function=function)
    if any(set(part or ()) != set(first) for part in parts):
        raise SetupError("{function} joins figures that are told apart by different dimensions", function=function)
    unknown = [name for name in over if name not in first or name == TIME]
    if unknown:
        raise SetupError(
            "over={name}: the figures are told apart by {dimensions}", name=unknown[0], dimensions=", ".join(first)
        )
    return tuple(name for name in first if name not in over)


def _needed(formula: Expression, of: Indicators, structure: Structure) -> Iterator[str]:
    """The indicators that a formula takes figures of."""
    codelist = structure.components[structure.measure_dimension].codelist
    for name in names(formula):
        if name in of.inputs and of.inputs[name].flow == of.flow:
            yield from selected(of.inputs[name], structure.measure_dimension, codelist)


def selected(of: IndicatorInput, component: str, codelist: Codelist | None) -> frozenset[str]:
    """The codes of a component that an input takes; all where it does not say."""
    found = frozenset(codelist.codes if codelist is not None else ())
    for clause in conditions.parse(of.select):
        if clause.component == component:
            codes = conditions.selected(clause.values, codelist)
            found = found & codes if clause.operator == "in" else found - codes
    return found
