"""The geometry of movement between countries: arcs on a map, and ribbons from origins to destinations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.catalogue.atlas import Atlas, Place
from pipeline.catalogue.wording import Words

Weight = tuple[tuple[str, str], float]  # origin and destination, persons

_WIDEST = 13.0
_BEND = 0.22  # how far an arc leaves the straight line, of its length
_WIDTH, _GAP, _NODE, _LABEL = 860, 9.0, 10, 150
_HEIGHT = 640.0
_LEAST, _PITCH = 1.0, 16.0


@dataclass(frozen=True)
class Arc:
    """One corridor on a map; the width grows with the square root of the figure."""

    path: str
    width: float
    text: str
    is_into: str


@dataclass(frozen=True)
class Node:
    """A country at the side of the ribbons."""

    name: str
    x: float
    y: float
    height: float
    value: str


@dataclass(frozen=True)
class Ribbon:
    """One corridor as a ribbon whose height is its figure."""

    path: str
    width: float
    text: str
    number: int


@dataclass(frozen=True)
class Sankey:
    width: int
    height: int
    origins: tuple[Node, ...]
    destinations: tuple[Node, ...]
    ribbons: tuple[Ribbon, ...]


def arcs(atlas: Atlas, weights: Sequence[Weight], names: Mapping[str, str]) -> tuple[Arc, ...]:
    """The corridors whose countries have a place on the map, the widest underneath."""
    placed = [(pair, value) for pair, value in weights if pair[0] in atlas.places and pair[1] in atlas.places]
    largest = max((value for _, value in placed), default=1.0) or 1.0
    return tuple(
        Arc(
            path=_arc(atlas.places[pair[0]], atlas.places[pair[1]]),
            width=round(max(0.6, _WIDEST * (value / largest) ** 0.5), 1),
            text=f"{names[pair[0]]} → {names[pair[1]]}",
            is_into=pair[1],
        )
        for pair, value in placed
    )


def _arc(start: Place, end: Place) -> str:
    """A curve that bends to the left of its direction, so that the two directions of a corridor stand apart."""
    (x1, y1), (x2, y2) = start, end
    x, y = (x1 + x2) / 2 + (y2 - y1) * _BEND, (y1 + y2) / 2 - (x2 - x1) * _BEND
    return f"M{x1:.0f} {y1:.0f}Q{x:.0f} {y:.0f} {x2:.0f} {y2:.0f}"


def sankey(weights: Sequence[Weight], names: Mapping[str, str], words: Words) -> Sankey:
    """Origins at the left, destinations at the right, both by size; a ribbon for each corridor."""
    if not weights:
        return Sankey(_WIDTH, 0, (), (), ())
    sides = [_totals([(pair[side], value) for pair, value in weights]) for side in (0, 1)]
    most = max(len(side) for side in sides)
    scale = (_HEIGHT - _GAP * (most - 1)) / sum(value for _, value in weights)
    tops = [_tops(side, scale) for side in sides]
    columns = (_LABEL, _WIDTH - _LABEL - _NODE)
    nodes = [
        tuple(
            Node(names[area], column, round(tops[n][area], 1), round(value * scale, 1), words.number(value))
            for area, value in side.items()
        )
        for n, (side, column) in enumerate(zip(sides, columns, strict=True))
    ]
    order = {area: number for number, area in enumerate(sides[1])}
    used = [dict(top) for top in tops]
    drawn: list[Ribbon] = []
    ranks = [{area: number for number, area in enumerate(side)} for side in sides]
    for pair, value in sorted(weights, key=lambda each: (ranks[0][each[0][0]], ranks[1][each[0][1]])):
        height = value * scale
        left, right = used[0][pair[0]] + height / 2, used[1][pair[1]] + height / 2
        used[0][pair[0]] += height
        used[1][pair[1]] += height
        begin, end = columns[0] + _NODE, columns[1]
        middle = (begin + end) / 2
        drawn.append(
            Ribbon(
                path=f"M{begin} {left:.1f}C{middle:.0f} {left:.1f} {middle:.0f} {right:.1f} {end} {right:.1f}",
                width=round(max(_LEAST, height), 1),
                text=f"{names[pair[0]]} → {names[pair[1]]}: {words.number(value)}",
                number=order[pair[1]] % 6 + 1,
            )
        )
    bottom = max(node.y + node.height for side in nodes for node in side)
    return Sankey(_WIDTH, round(bottom) + 8, nodes[0], nodes[1], tuple(drawn))


def _totals(values: Sequence[tuple[str, float]]) -> dict[str, float]:
    """Of each country the sum of its corridors shown, the largest first."""
    found: dict[str, float] = {}
    for area, value in values:
        found[area] = found.get(area, 0.0) + value
    return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))


def _tops(side: Mapping[str, float], scale: float) -> dict[str, float]:
    tops: dict[str, float] = {}
    y = 4.0
    for area, value in side.items():
        tops[area] = y
        y += max(value * scale + _GAP, _PITCH)
    return tops
