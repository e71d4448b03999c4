"""What a rule between tables may say in its argument: `within=1; I=0.25; W=0.5`.

Such a rule is a row of `rules.csv` with the stage `across`. `dataflows` names the dataflow of its
figures and, after it, that of the figures they are held against; `when` selects the first, `then`
the second.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.errors import SetupError
from pipeline.framework import Rule

_ENDS = re.compile(r"[A-Z_]+>[A-Z_]+")
_TERM = re.compile(r"(?P<sign>[-+])?(?P<measure>[A-Z_]+)(?::(?P<code>[A-Z_]+))?(?P<optional>\?)?")
_NUMBERS = ("within", "lag", "low", "high", "I", "W")
_PREVIOUS = "PREVIOUS"  # the figure itself, one year before


@dataclass(frozen=True)
class Known:
    """The settings of a check: those that a rule must give, and those that it may."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


@dataclass(frozen=True)
class Term:
    """One summand of a balance. `code` stands in place of the rule's code where it is another one."""

    measure: str
    sign: int
    code: str
    lag: int
    is_optional: bool


CHECKS: Mapping[str, Known] = {
    "mirror": Known(("kind", "origin", "destination"), ("within", "partner", "estimate", "I", "W")),
    "ratio": Known(("by",), ("within", "lag", "low", "high")),
    "same": Known(("by",)),
    "distinct": Known(("by",)),
    "spread": Known(("over",), ("I", "W")),
    "balance": Known(("component", "code", "equation")),
}


def settings(rule: Rule) -> dict[str, str]:
    """The settings that a rule gives, by name.

    Raises:
        SetupError: one is not known, is given twice, is missing, or is not written as it must be.
    """
    known = CHECKS[rule.check]
    found: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in rule.argument.split(";"))):
        name, sign, value = (text.strip() for text in part.partition("="))
        if name not in (*known.required, *known.optional) or name in found or not (sign and value):
            raise SetupError('the argument "{part}" is not understood', part=part)
        found[name] = value
    for name in known.required:
        if name not in found:
            raise SetupError('the argument lacks "{name}="', name=name)
    for name, value in found.items():
        _check(name, value)
    return found


def equation(rule: Rule) -> tuple[str, tuple[Term, ...]]:
    """The measure that a balance is about, and its summands: `STK_POP = PREVIOUS + FLW_IN - FLW_OUT`."""
    total, _, right = (side.strip() for side in settings(rule)["equation"].partition(":="))
    terms = []
    for match in filter(None, map(_TERM.fullmatch, right.replace("+ ", "+").replace("- ", "-").split())):
        lag = int(match["measure"] == _PREVIOUS)
        sign = -1 if match["sign"] == "-" else 1
        terms.append(
            Term(total if lag else match["measure"], sign, match["code"] or "", lag, match["optional"] is not None)
        )
    return total, tuple(terms)


def _check(name: str, value: str) -> None:
    if name in _NUMBERS:
        try:
            float(value)
        except ValueError:
            raise SetupError('"{value}" is not a number', value=value) from None
    if name in ("origin", "destination") and not _ENDS.fullmatch(value):
        raise SetupError('"{value}" names no two ends, such as REF_AREA>COUNTERPART_AREA', value=value)
    if name == "equation":
        total, _, right = (side.strip() for side in value.partition(":="))
        parts = right.replace("+ ", "+").replace("- ", "-").split()
        if not _TERM.fullmatch(total) or not parts or not all(map(_TERM.fullmatch, parts)):
            raise SetupError(
                '"{value}" is not an equation, such as STK_POP := PREVIOUS + FLW_IN - FLW_OUT', value=value
            )
