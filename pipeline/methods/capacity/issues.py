"""What is told of a country's assessment: answers of another time, answers that the evidence does not bear out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.assessed import Profile, Reply
from pipeline.model import Issue, Protected

AGE, GAP, DELIVERED = "CAP-06", "CAP-07", "CAP-10"
OLD_YEARS = 5


def ages(replies: Iterable[Reply], area: str, flow: str, day: str) -> Iterator[Issue]:
    """CAP-06: an answer or its evidence is of a time after the release, or the answer is old."""
    for each in replies:
        later = [text for text in (each.year, each.date) if text > day[: len(text)]]
        if later or int(day[:4]) - int(each.year) > OLD_YEARS:
            found = f"{each.item}: {later[0] if later else each.year}"
            file, cell = f"{area}/capacity.csv", f"B{each.row}"
            yield Issue(AGE, "W", area, flow, found, f"{int(day[:4]) - OLD_YEARS}–{day}", file=file, cells=(cell,))


def delivered(given: Protected) -> Iterator[Issue]:
    """CAP-10: answers come as a table."""
    for source in given.sources:
        yield Issue(DELIVERED, "E", given.area, given.flow.id, source.file, "capacity.csv", file=source.file)


def gaps(of: Profile, flow: str) -> Iterator[Issue]:
    """CAP-07: what is answered and what the published tables show differ by more than a half."""
    for each in of.items:
        if each.has_gap:
            said = f"{each.item.id}: ANS {each.answered:g}, DER {each.derived:g}"
            yield Issue(GAP, "I", of.area, flow, said, "0.5")
