"""The geometry of the charts. The templates draw them as SVG; every number also stands in a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil, floor, log10
from statistics import median

from pipeline.catalogue.figures import Breakdown, Line, Point
from pipeline.catalogue.periods import moment, order
from pipeline.catalogue.wording import Words
from pipeline.framework import Codelist

_STEPS = (1, 2, 2.5, 5, 10)
_GAP = 8
_LONG = 1.6  # times the usual distance between two periods of a series: something is left out


@dataclass(frozen=True)
class Mark:
    """Something at a place of the drawing, with what it says."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Curve:
    """One series: the strokes between neighbouring figures, a dot for each, and a label at its end."""

    number: int
    name: str
    strokes: tuple[str, ...]
    dots: tuple[Mark, ...]
    end: Mark | None


@dataclass(frozen=True)
class Spark:
    """A small line without axes: the page draws it in a space as large as it was made for."""

    width: int
    height: int
    strokes: tuple[str, ...]
    dots: tuple[Mark, ...]


@dataclass(frozen=True)
class LineChart:
    """Several series over time, from zero. A line is broken where a figure is withheld, missing or not there."""

    width: int
    height: int
    left: int
    right: int
    y_ticks: tuple[Mark, ...]
    x_ticks: tuple[Mark, ...]
    curves: tuple[Curve, ...]

    @property
    def latest(self) -> list[str]:
        """What the end of each line says, for those who do not see it."""
        ends = ((curve.name, curve.dots[-1].text) for curve in self.curves if curve.dots)
        return [", ".join(each for each in end if each) for end in ends]


@dataclass(frozen=True)
class Bar:
    """One row of a bar chart. `width` is None when there is no figure to draw."""

    name: str
    value: str
    width: float | None
    y: int
    others: tuple[tuple[str, float | None], ...] = ()  # of the periods before: the figure, and how long its bar is


@dataclass(frozen=True)
class BarChart:
    width: int
    height: int
    bars: tuple[Bar, ...]

    @property
    def largest(self) -> list[str]:
        """What the first bars say, for those who do not see them."""
        return [f"{bar.name}, {bar.value}" for bar in self.bars[:3]]


def ticks(low: float, high: float, wanted: int = 4) -> tuple[float, ...]:
    """Round numbers from `low` to just above `high`, about as many as wanted."""
    reach = max(high - low, 1e-9)
    power = 10.0 ** floor(log10(reach / wanted))
    step = next(each * power for each in _STEPS if each * power * wanted >= reach * (1 - 1e-9))
    count = ceil(reach / step - 1e-9)
    return tuple(low + step * number for number in range(count + 1))


def line_chart(
    named: Sequence[tuple[str, Line]],
    words: Words,
    *,
    width: int = 400,
    height: int = 240,
    right: int = 62,
    names: bool = False,
) -> LineChart:
    """A chart for a column of text, to be read at 320 pixels. At its end stands a line's latest figure, or its name."""
    left, top, bottom = 52, 12, 26
    points = [point for _, line in named for point in line.points]
    values = [point.value for point in points if point.value is not None] or [0.0]
    scale = ticks(min(0.0, *values), max(0.0, *values))
    times = [moment(point.at) for point in points] or [0.0]
    frame = _Frame(left, width - right, top, height - bottom, min(times), max(times), scale[0], scale[-1])
    curves = [_curve(number, name, line, frame, words) for number, (name, line) in enumerate(named, start=1)]
    if names:
        curves = [replace(c, end=replace(c.end, text=c.name)) if c.end is not None else c for c in curves]
    return LineChart(
        width=width,
        height=height,
        left=left,
        right=width - right,
        y_ticks=tuple(Mark(left, frame.y(value), words.compact(value)) for value in scale),
        x_ticks=_time_ticks([point.at for point in points], frame, words),
        curves=tuple(_apart(curves, height - bottom)),
    )


def spark(line: Line, words: Words, *, width: int = 120, height: int = 30) -> Spark:
    """A line without axes, for a table or a small multiple."""
    values = [point.value for point in line.points if point.value is not None] or [0.0]
    times = [moment(point.at) for point in line.points] or [0.0]
    low, high = min(0.0, *values), max(0.0, *values)
    curve = _curve(1, "", line, _Frame(4, width - 4, 4, height - 4, min(times), max(times), low, high), words)
    return Spark(width, height, curve.strokes, curve.dots)


def bar_chart(breakdown: Breakdown, codelist: Codelist | None, words: Words) -> BarChart:
    """Bars under their names, so that long names of countries need no room at the side."""
    width, row = 380, 34
    every = [*breakdown.points, *(point for _, at in breakdown.earlier for point in at.values())]
    shown = {point.at for point in breakdown.points}
    highest = max((abs(point.value) for point in every if point.value is not None and point.at in shown), default=0.0)

    def length(point: Point) -> float | None:
        return None if point.value is None else round(width * abs(point.value) / (highest or 1), 1)

    def drawn(point: Point | None) -> tuple[str, float | None]:
        return ("–", None) if point is None else (figure(point, words), length(point))

    bars = [
        Bar(
            name=words.code(codelist, point.at),
            value=figure(point, words),
            width=length(point),
            y=number * row,
            others=tuple(drawn(at.get(point.at)) for _, at in breakdown.earlier),
        )
        for number, point in enumerate(breakdown.points)
    ]
    return BarChart(width, len(bars) * row, tuple(bars))


def figure(point: Point, words: Words) -> str:
    """The figure, or the reason why there is none."""
    if point.value is not None:
        return words.number(point.value)
    return str(words.texts["figure"][reason(point.status)])


def reason(status: str) -> str:
    """Why there is no figure, by the status of the observation (CL_OBS_STATUS): a word of `figure` in site/text."""
    return {"Q": "suppressed", "M": "not_applicable"}.get(status, "missing")


@dataclass(frozen=True)
class _Frame:
    """From data to drawing."""

    left: float
    right: float
    top: float
    bottom: float
    first: float
    last: float
    low: float
    high: float

    def x(self, time: float) -> float:
        if self.last == self.first:
            return (self.left + self.right) / 2
        return round(self.left + (time - self.first) / (self.last - self.first) * (self.right - self.left), 1)

    def y(self, value: float) -> float:
        if self.high == self.low:
            return self.bottom
        return round(self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - self.top), 1)


def _curve(number: int, name: str, line: Line, frame: _Frame, words: Words) -> Curve:
    strokes: list[list[str]] = [[]]
    dots: list[Mark] = []
    times = [moment(point.at) for point in line.points]
    usual = median([after - before for before, after in pairwise(times)] or [0.0])
    last = times[0] if times else 0.0
    for time, point in zip(times, line.points, strict=True):
        if point.value is None or time - last > usual * _LONG:
            strokes.append([])
        last = time
        if point.value is not None:
            x, y = frame.x(time), frame.y(point.value)
            strokes[-1].append(f"{x:g},{y:g}")
            dots.append(Mark(x, y, f"{words.period(point.at)}: {words.number(point.value)}"))
    latest = line.latest
    end = Mark(dots[-1].x, dots[-1].y, words.compact(latest.value)) if latest and latest.value is not None else None
    return Curve(number, name, tuple(" ".join(each) for each in strokes if len(each) > 1), tuple(dots), end)


def _apart(curves: Sequence[Curve], bottom: float, gap: float = 14) -> list[Curve]:
    """The same curves with their end labels moved so that none covers another or leaves the drawing."""
    ends = sorted((c.end.y, c.number) for c in curves if c.end is not None)
    places: list[float] = []
    for y, _ in ends:
        places.append(max(y, places[-1] + gap) if places else y)
    for position in reversed(range(len(places))):
        lowest = bottom if position + 1 == len(places) else places[position + 1] - gap
        places[position] = min(places[position], lowest)
    placed = {number: round(y, 1) for (_, number), y in zip(ends, places, strict=True)}
    return [replace(c, end=replace(c.end, y=placed[c.number])) if c.end is not None else c for c in curves]


def _time_ticks(periods: Sequence[str], frame: _Frame, words: Words) -> tuple[Mark, ...]:
    """First and last period, and in between as many as have room."""
    distinct = sorted(set(periods), key=order)
    if not distinct:
        return ()
    marks = [Mark(frame.x(moment(each)), frame.bottom, words.period(each)) for each in distinct]
    wide = 7.5 * max(len(mark.text) for mark in marks)
    kept, taken = [marks[0]], marks[0].x + wide  # the first stands right of its place, the last left, others around it
    for mark in marks[1:-1]:
        if mark.x - wide / 2 >= taken + _GAP and mark.x + wide / 2 + _GAP <= marks[-1].x - wide:
            kept.append(mark)
            taken = mark.x + wide / 2
    return (*kept, marks[-1]) if len(marks) > 1 else tuple(kept)
