"""The frozen type of what an agreement has brought so far, and what is due."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.framework import Agreement

# late: a day that was agreed or announced has passed. overdue: nothing was agreed, and two of the usual intervals
# have passed. waiting: nothing is due yet. none: nothing was ever delivered. unknown: nothing says how often.
State = Literal["late", "overdue", "waiting", "none", "unknown"]
Basis = Literal["agreement", "calendar", "habit", ""]


@dataclass(frozen=True)
class Delivery:
    """One agreement and dataflow: the last that the release has of it, and what is expected next.

    `basis` says what the expectation rests on; `due` is the day, blank where nobody said one. `interval` is in
    months, 0 where it is not known.
    """

    area: str
    flow: str
    agreement: Agreement
    last_period: str = ""
    last_release: str = ""
    interval: int = 0
    basis: Basis = ""
    next_period_ends: str = ""
    due: str = ""
    state: State = "unknown"
    is_expired: bool = False
