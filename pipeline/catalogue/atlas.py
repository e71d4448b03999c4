"""Maps: outlines of countries from `site/map/countries.geojson`, drawn as they are and never more exact than that.

The file is GeoJSON (RFC 7946) whose features are named by the codes of the area list; a feature may
have a `point`, where signs for the country stand, and no outline when the country is too small for
one. Longitudes run from 169° W eastwards to 191° E, so that no outline is cut in two. An office may put
another file in its place.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import asin, cos, radians, sin, sqrt
from pathlib import Path

Place = tuple[float, float]
Projection = Callable[[float, float], Place]

_A1, _A2, _A3, _A4 = 1.340264, -0.081106, 0.000893, 0.003796  # Equal Earth (Šavrič, Patterson, Jenny 2019)
_MIDDLE = 11.0  # longitude in the middle of the map of the world
_AMERICA = (-119.0, -33.0, -56.5, 33.5)  # west, east, south, north
_STANDARD = 12.0  # parallel on which the map of the region has its true proportions


@dataclass(frozen=True)
class Outline:
    """A country: its code (blank where no code is known), its outline in the units of the drawing, and its place."""

    code: str
    path: str
    place: Place | None


@dataclass(frozen=True)
class Atlas:
    """A map of one size: outlines, and the place of every country that has one."""

    width: int
    height: int
    outlines: tuple[Outline, ...]
    places: Mapping[str, Place]


@cache
def world(site: Path, width: int = 960) -> Atlas:
    """The whole world but Antarctica, in the Equal Earth projection."""
    left, right = _equal_earth(-169, 0)[0], _equal_earth(191, 0)[0]
    top, bottom = _equal_earth(_MIDDLE, 84)[1], _equal_earth(_MIDDLE, -57)[1]
    scale = width / (right - left)

    def project(longitude: float, latitude: float) -> Place:
        x, y = _equal_earth(longitude, latitude)
        return (x - left) * scale, (top - y) * scale

    return _atlas(site, project, width, round((top - bottom) * scale))


@cache
def america(site: Path, width: int = 430) -> Atlas:
    """Latin America and the Caribbean, equirectangular."""
    west, east, south, north = _AMERICA
    scale = width / (east - west)
    stretch = 1 / cos(radians(_STANDARD))

    def project(longitude: float, latitude: float) -> Place:
        return (longitude - west) * scale, (north - latitude) * scale * stretch

    return _atlas(site, project, width, round((north - south) * scale * stretch), frame=_AMERICA)


def _equal_earth(longitude: float, latitude: float) -> Place:
    theta = asin(sqrt(3) / 2 * sin(radians(latitude)))
    power = theta**6
    slope = 9 * _A4 * theta**2 * power + 7 * _A3 * power + 3 * _A2 * theta**2 + _A1
    x = 2 * sqrt(3) * radians(longitude - _MIDDLE) * cos(theta) / (3 * slope)
    return x, theta * (_A1 + _A2 * theta**2 + _A3 * power + _A4 * theta**2 * power)


def _atlas(
    site: Path, project: Projection, width: int, height: int, frame: tuple[float, float, float, float] | None = None
) -> Atlas:
    features = json.loads((site / "map/countries.geojson").read_text(encoding="utf-8"))["features"]
    outlines: list[Outline] = []
    for feature in features:
        point = feature["properties"].get("point")
        place = project(*point) if point else None
        rings = [ring for polygon in _polygons(feature["geometry"]) for ring in polygon if _is_within(ring, frame)]
        path = "".join(_path(ring, project) for ring in rings)
        outlines.append(Outline(feature.get("id") or "", path, place))
    places = {
        each.code: each.place
        for each in outlines
        if each.code and each.place is not None and 0 <= each.place[0] <= width and 0 <= each.place[1] <= height
    }
    return Atlas(width, height, tuple(each for each in outlines if each.path), places)


def _polygons(geometry: Mapping[str, object] | None) -> Iterator[Sequence[Sequence[Place]]]:
    coordinates = geometry["coordinates"] if geometry else []
    assert isinstance(coordinates, list)
    yield from [coordinates] if geometry and geometry["type"] == "Polygon" else coordinates


def _is_within(ring: Iterable[Place], frame: tuple[float, float, float, float] | None) -> bool:
    if frame is None:
        return True
    west, east, south, north = frame
    return any(west <= x <= east and south <= y <= north for x, y in ring)


def _path(ring: Sequence[Place], project: Projection) -> str:
    """The outline in whole units, each step from the one before: short, and exact to half a unit."""
    steps: list[str] = []
    last: tuple[int, int] | None = None
    for longitude, latitude in ring:
        x, y = (round(each) for each in project(longitude, latitude))
        if last is None:
            steps.append(f"M{x} {y}l")
        elif (x, y) != last:
            steps.append(f"{x - last[0]} {y - last[1]} ")
        last = x, y
    return "".join(steps).rstrip() + "z" if len(steps) > 2 else ""
