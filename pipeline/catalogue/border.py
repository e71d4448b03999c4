"""The page on the 12/16-month rule: how crossings of the border become migrations, drawn for three people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.catalogue.render import Content, Page
from pipeline.catalogue.view import Catalogue
from pipeline.catalogue.wording import Words
from pipeline.methods.border.days import day_number, day_text
from pipeline.methods.border.rule import CATEGORIES, NOT_GIVEN, RULES, Crossings, Events, Rule, decide
from pipeline.texts import texts

_THRESHOLD, _WINDOW = RULES["R12_16"]
_BEGIN, _END = "2023-01-01", "2025-01-01"
_PEOPLE: Mapping[str, tuple[str, ...]] = {  # days of crossings, the first an arrival
    "settles": ("2023-03-01", "2023-08-28", "2023-09-28"),
    "circulates": ("2023-02-01", "2023-05-01", "2023-08-01", "2023-11-01", "2024-02-01", "2024-05-01"),
    "undecided": ("2024-08-15",),
}
_WIDTH, _HEIGHT, _LEFT = 720, 74, 10


@dataclass(frozen=True)
class Span:
    """A stretch of days on the drawing."""

    x: float
    width: float


@dataclass(frozen=True)
class Timeline:
    """One person: stays inside, the window of the first crossing, and what became of every crossing."""

    id: str
    title: str
    text: str
    stays: tuple[Span, ...]
    window: Span
    ticks: tuple[tuple[float, str], ...]
    crossings: tuple[Mapping[str, str], ...]


def pages(catalogue: Catalogue) -> Iterator[Page]:
    """The page on the rule, when a table of the release was made by it."""
    if is_used(catalogue):
        yield Page("border", "border.html", _content, lambda words: str(texts("border", words.lang)["title"]))


def is_used(catalogue: Catalogue) -> bool:
    """Whether a table of the release was made by the rule or one of its variants."""
    return any(RULES.keys() & set(view.used.get("METHOD", ())) for view in catalogue.views.values())


def _content(words: Words) -> Content:
    said = texts("border", words.lang)
    return {
        "b": said,
        "width": _WIDTH,
        "height": _HEIGHT,
        "facts": {"threshold": _THRESHOLD, "window": _WINDOW, "absence": _WINDOW - _THRESHOLD},
        "people": [_timeline(name, said, words) for name in _PEOPLE],
    }


def _timeline(name: str, said: Mapping[str, Any], words: Words) -> Timeline:
    days = [day_number(text) for text in _PEOPLE[name]]
    end = day_number(_END)
    events = decide(_crossings(days), Rule(_THRESHOLD, _WINDOW, end))
    ends = [*days[1:], end]
    inside = list(zip(days, ends, strict=True))[::2]
    months = [f"{year}-{month}" for year in (2023, 2024) for month in ("01", "07")]
    return Timeline(
        id=name,
        title=said["people"][name],
        text=said["told"][name],
        stays=tuple(_span(day, until) for day, until in inside),
        window=_span(days[0], min(days[0] + _WINDOW, end)),
        ticks=tuple((_x(day_number(f"{month}-01")), month) for month in months),
        crossings=tuple(_told(events, place, said, words) for place in range(len(days))),
    )


def _crossings(days: list[int]) -> Crossings:
    place = np.arange(len(days))
    return Crossings(place == 0, np.array(days, np.int32), place % 2 == 0, np.full(len(days), NOT_GIVEN, np.int8))


def _told(events: Events, place: int, said: Mapping[str, Any], words: Words) -> Mapping[str, str]:
    """One crossing as a row of the table beside the drawing."""
    return {
        "day": words.day(day_text(int(events.day[place]))),
        "direction": said["directions"]["in" if events.is_arrival[place] else "out"],
        "nights": words.number(int(events.side_days[place])),
        "observed": words.number(int(events.obs_days[place])),
        "category": said["categories"][CATEGORIES[events.category[place]]],
    }


def _span(begin: int, end: int) -> Span:
    return Span(round(_x(begin), 1), round(_x(end) - _x(begin), 1))


def _x(day: int) -> float:
    first, last = day_number(_BEGIN), day_number(_END)
    return _LEFT + (_WIDTH - 2 * _LEFT) * (day - first) / (last - first)
