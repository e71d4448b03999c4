"""Weights of a household survey adjusted so that migrants are visible: microdata + margins → weights and tables.

It runs inside the office that holds the microdata. What has a row for each person (`weights`) stays there; the tables
go through validation and protection like any other before anything is published.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pipeline.errors import SetupError
from pipeline.framework import Grade, Text
from pipeline.methods.survey import controls as controls_
from pipeline.methods.survey import diagnostics, received, results
from pipeline.methods.survey.calibration import BOUNDED, METHODS, Distance, Margins, Solved, distance
from pipeline.methods.survey.design import Design, design
from pipeline.methods.survey.variance import Weighted
from pipeline.model import Issue

LOWER, UPPER = 0.33, 3.0  # bounds of g where none are given (framework §10.1)


@dataclass(frozen=True)
class Asked:
    """What one run is asked for: the options of the command line, and what the framework says.

    `dimensions` are those of each dataflow.
    """

    input: Path
    design: Path
    controls: Path
    out: Path
    method: str = "raking"
    lower: float | None = None
    upper: float | None = None
    area: str = ""
    provider: str = ""
    licence: str = "CC-BY-4.0"
    phrases: Mapping[str, Text] = field(default_factory=dict)
    standards: Mapping[str, Sequence[Grade]] = field(default_factory=dict)
    dimensions: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Made:
    """What a run found and wrote."""

    issues: tuple[Issue, ...]
    files: tuple[Path, ...] = ()

    @property
    def is_fit(self) -> bool:
        return not any(issue.severity == "E" for issue in self.issues)


def survey(asked: Asked) -> Made:
    """Calibrate a survey and write what follows from it to `asked.out`, all files or none.

    Raises:
        SetupError: an option, the design or the controls are not sound.
        InputError: the microdata cannot be opened or read.
    """
    plan, kept = design(asked.design), distance_of(asked)
    if asked.standards and plan.standard not in asked.standards:
        raise SetupError(
            '{file}: standard "{found}" must be one of {known}.',
            file=asked.design.name,
            found=plan.standard,
            known=", ".join(asked.standards),
        )
    for table in plan.tables:
        if asked.dimensions and table.flow not in asked.dimensions:
            raise SetupError('{file}: "{flow}" is not a dataflow.', file=asked.design.name, flow=table.flow)
        if wrong := [
            each for each in table.dimensions if asked.dimensions and each not in asked.dimensions[table.flow]
        ]:
            raise SetupError(
                "{file}: {wrong} are not dimensions of {flow}.",
                file=asked.design.name,
                wrong=", ".join(wrong),
                flow=table.flow,
            )
    delivery = received.opened(asked.input, plan, controls_.read(asked.controls))
    if not delivery.is_fit:
        return Made(delivery.issues)
    margins, pattern, names = controls_.margins(delivery.variables, delivery.household)
    assert delivery.base is not None
    base = np.bincount(pattern, delivery.base)
    solved, found = _calibrated(margins, base, kept, names, delivery.name)
    issues = (*delivery.issues, *found)
    if solved is None:
        return Made(issues)
    weighted = Weighted(delivery.base, pattern, solved.g, margins)
    measures = diagnostics.measures(weighted, solved, margins)
    asked.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".next-", dir=asked.out) as work:
        folder = Path(work)
        run = results.Run(asked, plan, delivery, weighted, kept, solved, measures)
        found = tuple(results.write(folder, run, diagnostics.margins(delivery.variables, weighted, names)))
        issues = (*issues, *diagnostics.issues(measures, delivery.name), *found)
        files = tuple(sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file()))
        return Made(issues, tuple(_moved(folder / each, asked.out / each) for each in files))


def distance_of(asked: Asked) -> Distance:
    """The distance that the options say.

    Raises:
        SetupError: a method that is none, or bounds that leave 1 out or that the method does not have.
    """
    if asked.method not in METHODS:
        raise SetupError('--method "{method}" must be one of {known}.', method=asked.method, known=", ".join(METHODS))
    if asked.method not in BOUNDED:
        if asked.lower is not None or asked.upper is not None:
            raise SetupError(
                "--lower and --upper are for these methods: {known}; take one of them.", known=", ".join(BOUNDED)
            )
        return distance(asked.method, 0, np.inf)
    lower = LOWER if asked.lower is None else asked.lower
    upper = UPPER if asked.upper is None else asked.upper
    if not 0 <= lower < 1 < upper < np.inf:
        raise SetupError(
            "--lower {lower} --upper {upper}: the lower bound must be from 0 to below 1, the upper one above 1.",
            lower=f"{lower:g}",
            upper=f"{upper:g}",
        )
    return distance(asked.method, lower, upper)


def _calibrated(
    margins: Margins, base: np.ndarray, kept: Distance, names: Sequence[tuple[str, str]], file: str
) -> tuple[Solved | None, tuple[Issue, ...]]:
    """Ratios that meet the margins, or why there are none."""
    against = margins.contradicted(base)
    if len(against):
        shown = ", ".join(controls_.named(names[at]) for at in against[:5])
        return None, (received.issue("CAL-12", "E", file, shown),)
    solved = margins.solve(base, kept)
    if solved.is_met:
        return solved, ()
    worst = margins.worst(base, kept, solved)
    at = solved.worst if worst is None else worst
    low, high = kept.lower, kept.upper
    bounds = f"{low:g} … {high:g}" if worst is not None else f"{low:g} … {high:g}, {solved.difference:.1e}"
    return None, (received.issue("CAL-13", "E", file, controls_.named(names[at]), bounds),)


def _moved(path: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(path, target)  # noqa: PTH105  # one step, also over a file that is there
    return target


__all__ = ["Asked", "Design", "Made", "survey"]
