"""Rules between tables and between countries, on the published figures alone.

They are the rows of `rules.csv` with the stage `across`. They look at what every dataflow of the
release publishes, packages kept from the standing release included, so that what they say may be
published too. They hold nothing back: they are warnings and notes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

import pandas as pd

from pipeline.across import arguments, balance, joins, mirror
from pipeline.across.pairs import COLUMNS, COMPARED
from pipeline.across.records import records
from pipeline.across.told import between, told
from pipeline.framework import Rule
from pipeline.model import Compared, Library, Whole

log = logging.getLogger("trayecto")

__all__ = ["compare", "records", "rules", "told"]

_JOINS: Mapping[str, Callable[[Mapping[str, Whole], Rule, Library], pd.DataFrame]] = {
    "ratio": joins.ratio,
    "same": joins.same,
    "distinct": joins.distinct,
    "spread": joins.spread,
    "balance": balance.balance,
}


def rules(library: Library) -> tuple[Rule, ...]:
    """The rules between tables, each once, in the order of the file."""
    every = (rule for flow in library.dataflows.values() for rule in flow.rules if rule.stage == "across")
    return tuple(sorted(dict.fromkeys(every), key=lambda rule: (rule.id, rule.dataflows, rule.argument)))


def compare(wholes: Mapping[str, Whole], library: Library) -> Compared:
    """Apply every rule between tables to the figures of the release, by dataflow."""
    pairs, mirrors = [pd.DataFrame(columns=list(COLUMNS))], {}
    for rule in rules(library):
        if rule.check == "mirror":
            found = mirror.mirror(wholes, rule, library)
            mirrors[arguments.settings(rule)["kind"]] = found.table
            pairs.append(found.pairs)
        else:
            pairs.append(_JOINS[rule.check](wholes, rule, library)[list(COLUMNS)])
    every = pd.concat([each for each in pairs if len(each)] or pairs[:1], ignore_index=True)
    counts = every.groupby(["rule", "area", "flow", "state"]).size().rename("pairs").reset_index()
    findings = every[every["severity"] != ""].reset_index(drop=True)
    made = int(counts.loc[counts["state"] == COMPARED, "pairs"].sum())
    log.info("across: %d pairs of published figures compared, %d at fault", made, len(findings))
    return Compared(findings, counts, mirrors, tuple(between(findings, library)))
