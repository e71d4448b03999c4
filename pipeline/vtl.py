"""The rules of a dataflow as VTL 2.1, for whoever validates with another engine.

Row rules become one datapoint ruleset, sums of the parts of a code list become hierarchical
rulesets. What needs the file, the code lists, the day, other periods or declared tolerances is no
VTL here: the head of each script names the rules that it leaves out. The data set that a script
reads is called as the dataflow: dimensions are identifiers, everything else is a measure, blank is
null. VTL takes an unknown condition for neither right nor wrong, so each clause says what a blank is.

The rules about revisions read another data set, the published table of revisions of a dataflow
(`reports/<area>/revisions/<dataflow>.csv`), and so are a script of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from pipeline import conditions
from pipeline.conditions import Clause
from pipeline.framework import Dataflow, Rule, Severity
from pipeline.model import Library
from pipeline.thresholds import BALANCES

_LEVELS: Mapping[Severity, int] = {"E": 3, "W": 2, "I": 1}

Condition = tuple[str, str]  # what must hold where


def script(flow: Dataflow, library: Library) -> bytes:
    """All rules for received data that VTL can say, as one script."""
    rules = [rule for rule in flow.rules if rule.stage in ("received", "figures")]
    left = dict.fromkeys(rule.id for rule in rules if rule.id not in expressed(flow))
    lines = [f"/* {flow.id}: the rules of dsd/rules.csv in VTL 2.1. Not in VTL: {', '.join(left)}. */"]
    lines += _datapoint(flow, library, rules)
    for number, rule in enumerate(rule for rule in rules if rule.check in ("sum", "difference")):
        lines += _hierarchical(rule, flow, library, number)
    return ("\n".join(lines) + "\n").encode()


def expressed(flow: Dataflow) -> frozenset[str]:
    """The ids of the rules that a script has."""
    said = (*_ROW_RULES, "sum", "difference")
    return frozenset(r.id for r in flow.rules if r.stage in ("received", "figures") and r.check in said)


def revisions(flow: Dataflow) -> bytes:
    """The rules REV as a script over the table of revisions, which it calls `REVISIONS`."""
    columns = ("kind", "old", "new", "old_status", "note_date")
    lines = ["/* The rules REV of dsd/rules.csv in VTL 2.1, over the published table of revisions. */"]
    lines.append(f"define datapoint ruleset DPR_REVISIONS (variable {', '.join(columns)}) is")
    rules = [rule for rule in flow.rules if rule.stage == "revision"]
    lines.append(";\n".join(_of_revision(rule) for rule in rules))
    lines.append("end datapoint ruleset;")
    lines.append("ROWS <- check_datapoint(REVISIONS, DPR_REVISIONS);")
    return ("\n".join(lines) + "\n").encode()


def _of_revision(rule: Rule) -> str:
    when, then = {
        "revised": ("not isnull(new)", 'kind <> "revised"'),
        "large": (
            'kind = "revised" and old_status <> "A" and isnull(note_date)',
            f"abs(new - old) <= {rule.argument} * abs(old)",
        ),
        "final": ("isnull(note_date)", f'not (kind = "revised" and old_status = "{rule.argument}")'),
        "vanished": ("isnull(note_date)", 'kind <> "vanished"'),
    }[rule.check]
    name = rule.id.replace("-", "_")
    return f'  {name}: when {when} then {then} errorcode "{rule.id}" errorlevel {_LEVELS[rule.severity]}'


# ---------------------------------------------------------------- row rules


def _datapoint(flow: Dataflow, library: Library, rules: Iterable[Rule]) -> Iterator[str]:
    written: list[str] = []
    for rule in (rule for rule in rules if rule.check in _ROW_RULES):
        for when, then in _ROW_RULES[rule.check](rule, flow, library):
            head = f"when {when} then {then}" if when else then
            name = f"{rule.id.replace('-', '_')}_{len(written) + 1}"
            written.append(f'  {name}: {head} errorcode "{rule.id}" errorlevel {_LEVELS[rule.severity]}')
    variables = ", ".join(
        each for each in flow.structure.components if each not in flow.structure.attributes("dataset")
    )
    yield f"define datapoint ruleset DPR_{flow.id} (variable {variables}) is"
    yield ";\n".join(written)
    yield "end datapoint ruleset;"
    yield f"ROWS <- check_datapoint({flow.id}, DPR_{flow.id});"


def _of_condition(rule: Rule, flow: Dataflow, library: Library) -> Iterator[Condition]:
    known = flow.structure.components
    when = conditions.parse(rule.when)
    if any(c.component not in known and c.operator not in ("not in", "empty") for c in when):
        return  # never applies to this structure
    where = " and ".join(_clause(each, library) for each in when if each.component in known)
    for clause in conditions.parse(rule.then):
        yield where, _clause(clause, library)


def _of_mandatory(rule: Rule, flow: Dataflow, library: Library) -> Iterator[Condition]:
    for component in flow.structure.of_role("attribute"):
        if component.is_mandatory and component.attachment != "dataset":
            yield "", f"not isnull({component.id})"


def _of_own_country(rule: Rule, flow: Dataflow, library: Library) -> Iterator[Condition]:
    for component in rule.argument.split():
        yield "", f"{component} <> substr(REF_AREA, 1, 2)"


def _of_unit(rule: Rule, flow: Dataflow, library: Library) -> Iterator[Condition]:
    measure = flow.structure.measure_dimension
    codelist = library.list_of(measure)
    units = {code.id: code.notes.get("unit", "") for code in codelist.codes.values()} if codelist else {}
    for unit in sorted(set(units.values()) - {""}):
        codes = [code for code, each in units.items() if each == unit]
        yield f"{measure} in {_set(codes)}", f'not isnull(UNIT_MEASURE) and UNIT_MEASURE = "{unit}"'


def _of_product(rule: Rule, flow: Dataflow, library: Library) -> Iterator[Condition]:
    whole, one, other, share = rule.argument.split()
    product = f"{one} * abs({other})"
    when = " and ".join(f"not isnull({each})" for each in (whole, one, other))
    positive = " and ".join(_clause(each, library) for each in conditions.parse(rule.when))
    yield f"{when} and {positive}", f"abs({whole} - {product}) <= {share} * {product}"


_ROW_RULES: Mapping[str, Callable[[Rule, Dataflow, Library], Iterator[Condition]]] = {
    "condition": _of_condition,
    "mandatory": _of_mandatory,
    "own_country": _of_own_country,
    "unit": _of_unit,
    "product": _of_product,
}


def _clause(clause: Clause, library: Library) -> str:
    """A clause of the language of conditions; what it says of a blank is written out."""
    name = clause.component
    match clause.operator:
        case "in" | "not in":
            codes = sorted(conditions.selected(clause.values, library.list_of(name)))
            blank = f"not isnull({name}) and " if clause.operator == "in" else f"isnull({name}) or "
            return f"({blank}{name} {clause.operator.replace(' ', '_')} {_set(codes)})"
        case "empty":
            return f"isnull({name})"
        case "not empty":
            return f"not isnull({name})"
        case "whole":
            return f"(not isnull({name}) and {name} = round({name}, 0))"
        case _:
            return f"(not isnull({name}) and {name} {clause.operator} {clause.values[0]})"


def _set(codes: Iterable[str]) -> str:
    return "{" + ", ".join(f'"{code}"' for code in codes) + "}"


# ---------------------------------------------------------------- sums


def _hierarchical(rule: Rule, flow: Dataflow, library: Library, number: int) -> Iterator[str]:
    """A total and its parts: equal where every part needed is there, and never less than what is there."""
    component, _, equation = (each.strip() for each in rule.argument.partition(":"))
    total, _, parts = (each.strip() for each in equation.partition("="))
    codelist = flow.structure.components[component].codelist
    assert codelist is not None
    if total not in codelist.codes:
        return
    words = parts.split()
    optional = [word.rstrip("?") for word in words if word.endswith("?")]
    codes = [word.rstrip("?") for word in words if word not in "+-"]
    needed = [total, *(code for code in codes if code not in optional)]
    quoted = " ".join(word if word in "+-" else f"'{word.rstrip('?')}'" for word in words)
    error = f'errorcode "{rule.id}" errorlevel {_LEVELS[rule.severity]}'
    # A line with a figure that has no value is not added up (framework §4, mixed severity).
    where = " and ".join(_clause(each, library) for each in conditions.parse(rule.when))
    kept = f"{flow.id}[filter {where}][keep OBS_VALUE]" if where else f"{flow.id}[keep OBS_VALUE]"
    counts, every = f"COUNTS_{number}", _set([total, *codes])
    yield f"{counts} := {kept};"
    blank = f"{counts}[filter isnull(OBS_VALUE) and {component} in {every}]"
    yield f"BLANK_{number} := count({blank} group except {component});"
    yield f"define hierarchical ruleset EQUAL_{number} (variable rule {component}) is"
    yield f"  R1: '{total}' = {quoted} {error} end hierarchical ruleset;"
    there = f"{counts}[filter {component} in {_set(needed)}]"
    yield f"FULL_{number} := count({there} group except {component})[filter int_var = {len(needed)}];"
    yield f"WHOLE_{number} := {_lines(f'FULL_{number}', number)};"
    yield f"SUMS_{number} <- check_hierarchy(WHOLE_{number}, EQUAL_{number} rule {component} partial_zero invalid);"
    if rule.check == "sum":
        balance = f"{flow.structure.measure_dimension} not_in {_set(BALANCES)}"
        known = _set(code for code in codes if not code.endswith("_U"))
        yield f"define hierarchical ruleset ATMOST_{number} (variable rule {component}) is"
        yield f"  R1: '{total}' >= {quoted} {error} end hierarchical ruleset;"
        totals = f'{counts}[filter {component} = "{total}" and {balance}]'
        yield f"TOTAL_{number} := count({totals} group except {component});"
        yield f"PART_{number} := count({counts}[filter {component} in {known}] group except {component});"
        yield f"OPEN_{number} := {_lines(f'intersect(TOTAL_{number}, PART_{number})', number)};"
        yield f"MORE_{number} <- check_hierarchy(OPEN_{number}, ATMOST_{number} rule {component} partial_zero invalid);"


def _lines(chosen: str, number: int) -> str:
    """The figures of the lines chosen, without lines that have a figure without a value."""
    return f"inner_join(COUNTS_{number} as C, setdiff({chosen}, BLANK_{number}) as K)[keep OBS_VALUE]"
