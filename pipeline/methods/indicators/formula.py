"""The language of formulas: numbers, names of inputs, + - * /, brackets, and a few functions. Nothing else.

    100 * foreign_born / population
    100 * sum(women, over=SEX) / lag(stock, 1)

    sum(x, over=DIM), max, min, mean, count    one figure of all the codes of a dimension, or of several: over=(A, B)
    spread(x, over=DIM)                        the largest of two figures or more, divided by the smallest
    lag(x, n)                                  the figure of n years before
    abs(x)                                     without its sign
    first(x, y)                                x where there is one, else y; both are broken down alike

Python's parser reads the text; only the kinds of node named here are let through, and none of them is ever
compiled or run: `evaluate` walks the tree. So a formula cannot reach a file, an attribute or a loop.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.errors import SetupError

OVER = ("sum", "max", "min", "mean", "count", "spread")
FUNCTIONS = (*OVER, "lag", "abs", "first")
_LONGEST, _DEEPEST, _FURTHEST = 400, 20, 50
_OPERATORS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}


@dataclass(frozen=True)
class Number:
    value: float


@dataclass(frozen=True)
class Name:
    name: str


@dataclass(frozen=True)
class Operation:
    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Call:
    """A function of expressions; `over` has the dimensions that are added up, `years` those of a lag."""

    function: str
    of: tuple[Expression, ...]
    over: tuple[str, ...] = ()
    years: int = 0


Expression = Number | Name | Operation | Call


def parse(text: str) -> Expression:
    """Read a formula.

    Raises:
        SetupError: naming the part that is not understood.
    """
    if len(text) > _LONGEST:
        raise SetupError("a formula has at most {most} signs; this one has {signs}", most=_LONGEST, signs=len(text))
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        fault = getattr(error, "msg", error)
        raise SetupError('"{text}" is not a formula: {fault}', text=text, fault=fault) from None
    return _expression(tree.body, text.strip(), depth=0)


def names(expression: Expression) -> Iterator[str]:
    """The inputs that a formula names, in order, each as often as it stands there."""
    match expression:
        case Name(name):
            yield name
        case Operation(_, left, right):
            yield from (*names(left), *names(right))
        case Call(_, of):
            for each in of:
                yield from names(each)


def _expression(node: ast.expr, text: str, *, depth: int) -> Expression:
    if depth > _DEEPEST:
        raise SetupError('"{text}" has more than {most} levels of brackets', text=text, most=_DEEPEST)
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool) and abs(value) < 1e15:
            return Number(float(value))
        case ast.Name(id=name):
            return Name(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return Operation("*", Number(-1.0), _expression(operand, text, depth=depth + 1))
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
            sides = (_expression(side, text, depth=depth + 1) for side in (left, right))
            return Operation(_OPERATORS[type(operator)], *sides)
        case ast.Call(func=ast.Name(id=function)) if function in FUNCTIONS:
            return _call(node, function, text, depth=depth + 1)
    part = ast.get_source_segment(text, node) or text
    raise SetupError(
        '"{part}" is not allowed in a formula: only numbers, names, + - * / and {functions}',
        part=part,
        functions=", ".join(FUNCTIONS),
    )


def _call(node: ast.Call, function: str, text: str, *, depth: int) -> Call:
    given = list(node.args)
    keywords = {keyword.arg or "": keyword.value for keyword in node.keywords}
    if function in OVER and len(given) == 1 and keywords.keys() == {"over"}:
        return Call(function, (_expression(given[0], text, depth=depth),), over=_over(keywords["over"], text))
    if function == "lag" and len(given) == 2 and not keywords:
        return Call(function, (_expression(given[0], text, depth=depth),), years=_years(given[1], text))
    if len(given) == {"abs": 1, "first": 2}.get(function) and not keywords:
        return Call(function, tuple(_expression(each, text, depth=depth) for each in given))
    usage = {"lag": "lag(x, 1)", "abs": "abs(x)", "first": "first(x, y)"}.get(function, f"{function}(x, over=SEX)")
    part = ast.get_source_segment(text, node) or text
    raise SetupError('"{part}" is not how {function} is written: {usage}', part=part, function=function, usage=usage)


def _over(node: ast.expr, text: str) -> tuple[str, ...]:
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    found = tuple(part.id for part in parts if isinstance(part, ast.Name))
    if len(found) < len(parts) or not found:
        raise SetupError('in "{text}", over= must name dimensions: over=SEX or over=(SEX, AGE)', text=text)
    return found


def _years(node: ast.expr, text: str) -> int:
    if isinstance(node, ast.Constant) and type(node.value) is int and 0 < node.value <= _FURTHEST:
        return node.value
    raise SetupError('in "{text}", lag must name a number of years from 1 to {furthest}', text=text, furthest=_FURTHEST)
