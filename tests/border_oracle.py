"""The rule in plain Python, one person and one night at a time: slow, and right at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

IN, OUT = 1, 0


@dataclass
class Event:
    day: int
    direction: int
    seq: int
    is_imputed: bool = False
    obs_days: int = 0
    side_days: int = 0
    outcome: str = ""
    before: str = ""
    after: str = ""

    @property
    def leads_to(self) -> str:
        return "R" if self.direction == IN else "N"

    @property
    def migrant(self) -> str:
        if self.outcome == "N" or self.before == self.leads_to:
            return "0"
        return "1" if self.outcome == "Y" else ""

    @property
    def category(self) -> str:
        if self.direction == IN:
            if self.before == "R":
                return "resident_return"
            if self.outcome == "N" and self.before == "?":
                return "short_arrival_open"
            return {"Y": "migrant", "U": "pending", "N": "visitor"}[self.outcome] + "_arrival"
        if self.before == "N":
            return "visitor_departure"
        if self.outcome == "N" and self.before == "?":
            return "short_departure_open"
        return {"Y": "migrant", "U": "pending", "N": "resident"}[self.outcome] + "_departure"


def events(
    crossings: Sequence[tuple[int, int]],
    *,
    threshold: int,
    window: int,
    end: int,
    initial: str = "",
    imputed_at: str = "midpoint",
) -> list[Event]:
    """The events of one person, from (day, direction) in order."""
    found: list[Event] = []
    for number, (day, direction) in enumerate(crossings, 1):
        if found and found[-1].direction == direction:
            before = found[-1].day
            middle = {"midpoint": before + (day - before) // 2, "earliest": before, "latest": day}[imputed_at]
            found.append(Event(middle, 1 - direction, 2 * number - 1, is_imputed=True))
        found.append(Event(day, direction, 2 * number))
    status = initial or ("N" if found[0].direction == IN else "R")
    for each in found:
        each.obs_days = min(window, end - each.day)
        each.side_days = stays(found, each)
        if each.side_days >= threshold:
            each.outcome = "Y"
        elif each.obs_days - each.side_days > window - threshold:
            each.outcome = "N"
        else:
            each.outcome = "U"
        each.before = status
        if each.outcome == "Y":
            status = each.leads_to
        elif each.outcome == "U" and status != each.leads_to:
            status = "?"
        each.after = status
    return found


def stays(found: Sequence[Event], of: Event) -> int:
    """Nights on the side that a crossing leads to: stay by stay, as far as the window reaches."""
    until, total = of.day + of.obs_days, 0
    for place, each in enumerate(found):
        after = found[place + 1].day if place + 1 < len(found) else until
        if each.direction == of.direction:
            total += max(0, min(after, until) - max(each.day, of.day))
    return total


def nights(found: Sequence[Event], of: Event) -> int:
    """The same, night by night."""
    return sum(side_at_night(found, night) == of.direction for night in range(of.day, of.day + of.obs_days))


def side_at_night(found: Sequence[Event], night: int) -> int:
    """The side that the person is on at the end of a day."""
    return [each.direction for each in found if each.day <= night][-1]


def walk(found: Sequence[Event], place: int, *, threshold: int, window: int, end: int) -> tuple[bool, int] | None:
    """Night after night from a crossing: whether it comes to a migration, and the day that decides; None if none does.

    The longest absence is reached before it is exceeded: the day told is the one on which it was full for the last
    time.
    """
    crossing, new, old, full = found[place], 0, 0, 0
    for night in range(crossing.day, min(crossing.day + window, end)):
        if side_at_night(found, night) == crossing.direction:
            new += 1
        else:
            full = night if old == window - threshold else full
            old += 1
        if new >= threshold:
            return True, night + 1
        if old > window - threshold:
            return False, full
    return None
