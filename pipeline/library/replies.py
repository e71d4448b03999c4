"""What is wrong with an answer to the capacity assessment, before any figure is seen."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from pipeline.assessed import Capacity, Reply, worth
from pipeline.framework import LANGUAGES
from pipeline.model import Issue

COLUMNS = (
    *("item", "year", "answer", "source", "url", "evidence_date", "role"),
    *(f"comment_{lang}" for lang in LANGUAGES),
)
ITEM, ANSWER, EVIDENCE, ROLE, DATE = "CAP-01", "CAP-02", "CAP-03", "CAP-04", "CAP-05"

_DATE = re.compile(r"\d{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?")
_YEAR = re.compile(r"(?:19|20)\d{2}")
_URL = re.compile(r"https?://[^\s/@]+(?:/\S*)?")


def is_date(text: str) -> bool:
    """Whether a text is a year, a month or a day."""
    if not _DATE.fullmatch(text):
        return False
    try:
        dt.date.fromisoformat(f"{text}-01-01"[:10])
    except ValueError:
        return False
    return True


def is_url(text: str) -> bool:
    """Whether a text is an address that a reader can follow; one with a password is not."""
    return bool(_URL.fullmatch(text))


def faults(of: Reply, capacity: Capacity, area: str) -> Iterator[Issue]:
    """What forbids an answer; one with a fault never reaches a table."""
    item = capacity.items.get(of.item)
    if item is None:
        yield _issue(ITEM, of, area, of.item, ", ".join(capacity.items))
        return
    try:
        value = worth(item, of.answer)
    except ValueError:
        yield _issue(ANSWER, of, area, f"{of.item}: {of.answer or '-'}", item.kind)
        return
    if of.source and of.source not in capacity.sources:
        yield _issue(EVIDENCE, of, area, f"{of.item}: {of.source}", "metadata/capacity/sources.csv")
    elif item.needs_evidence and value and not (of.source or of.url):
        yield _issue(EVIDENCE, of, area, f"{of.item}: -", "source, url")
    if of.role not in capacity.roles or any("@" in text for text in of.comment.values()):
        yield _issue(ROLE, of, area, of.item, ", ".join(capacity.roles))
    if not _YEAR.fullmatch(of.year):
        yield _issue(DATE, of, area, f"{of.item}: {of.year or '-'}", "2026")
    if of.date and not is_date(of.date):
        yield _issue(DATE, of, area, f"{of.item}: {of.date}", "2026, 2026-11, 2026-11-24")
    if of.url and not is_url(of.url):
        yield _issue(EVIDENCE, of, area, f"{of.item}: {of.url}", "https://")


def _issue(code: str, of: Reply, area: str, found: str, expected: str) -> Issue:
    return Issue(code, "E", area, "", found, expected, file=f"{area}/capacity.csv", cells=(f"A{of.row}",))
