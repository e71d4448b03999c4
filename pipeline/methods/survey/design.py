"""The design of a survey, as its office declares it in a TOML: weights, strata, clusters, and what to estimate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from pipeline.framework import LANGUAGES, Text
from pipeline.library import authored
from pipeline.library.authored import refuse

STATS = ("total", "mean", "share")
REPLICATES = ("none", "jackknife", "bootstrap")
LONELY = ("refuse", "adjust")
_COLUMNS = ("id", "strata", "clusters", "household", "fpc")


@dataclass(frozen=True)
class Estimate:
    """One statistic, for the whole population or by domain.

    `variable` is a column of numbers; of a share `column=category`; of a total it may be blank: persons. `among`
    keeps the persons with one of the values of each column.
    """

    stat: str
    variable: str = ""
    by: tuple[str, ...] = ()
    among: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """One table to publish: every cell of its dimensions and their totals, for one dataflow.

    `dimensions` names the column of each; `share_of` is the dimension whose categories a share is of.
    """

    flow: str
    period: str
    dimensions: Mapping[str, str]
    measure: str = "STK_POP"
    share_of: str = ""
    constants: Mapping[str, str] = field(default_factory=dict)
    title: Text = field(default_factory=dict)
    source_operation: Text = field(default_factory=dict)
    stat_pop: Text = field(default_factory=dict)


@dataclass(frozen=True)
class Design:
    """Where the design stands in the microdata, and how variance and precision are told."""

    weights: str
    id: str = ""
    strata: str = ""
    clusters: str = ""
    household: str = ""
    fpc: str = ""
    lonely_clusters: str = "refuse"
    replicates: str = "none"
    replicate_count: int = 200
    seed: int = 1
    collapse_below: int = 0
    standard: str = "ECLAC_2023"
    has_known_domains: bool = False
    is_df_justified: bool = False
    controls_source: Text = field(default_factory=dict)
    controls_date: str = ""
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    estimates: tuple[Estimate, ...] = ()
    tables: tuple[Wanted, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the microdata that the design and its statistics name, each once."""
        named = [self.weights, *(getattr(self, name) for name in _COLUMNS)]
        for each in self.estimates:
            named += [each.variable.partition("=")[0], *each.by, *each.among]
        for table in self.tables:
            named += table.dimensions.values()
        return tuple(dict.fromkeys(name for name in named if name))


_KEYS = {"known_domains": "has_known_domains", "df_justified": "is_df_justified"}
_PLAIN = [each.name for each in fields(Design) if each.name not in ("estimates", "tables")]


def design(path: Path) -> Design:
    """Read a design.

    Raises:
        SetupError: a key that is not one, or a value that is not of its kind.
    """
    table = authored.toml(path)
    allowed = [key for key in _PLAIN if key not in _KEYS.values()] + [*_KEYS, "estimate", "table"]
    authored.keys(path, table, allowed, ("weights",))
    estimates = tuple(_estimate(path, each) for each in table.pop("estimate", []))
    wanted = tuple(_wanted(path, each) for each in table.pop("table", []))
    given: dict[str, Any] = {_KEYS.get(key, key): value for key, value in table.items()}
    _kinds(path, given)
    if "controls_source" in given:
        given["controls_source"] = _text(path, given["controls_source"])
    made = Design(**given, estimates=estimates, tables=wanted)
    _one_of(path, "replicates", made.replicates, REPLICATES)
    _one_of(path, "lonely_clusters", made.lonely_clusters, LONELY)
    if made.replicate_count < 2:
        refuse(path, None, "replicate_count must be 2 or more")
    return made


def _kinds(path: Path, given: Mapping[str, Any]) -> None:
    """Refuse values of another kind than the default of their key has."""
    kinds = {each.name: type(each.default) for each in fields(Design) if isinstance(each.default, (str, int))}
    for key, value in given.items():
        kind = kinds.get(key, str if key == "weights" else None)
        if kind is not None and type(value) is not kind:
            refuse(path, None, f"{key} must be a {'word' if kind is str else kind.__name__}; found {value!r}")


def _estimate(path: Path, table: Mapping[str, Any]) -> Estimate:
    authored.keys(path, table, ("stat", "variable", "by", "among"), ("stat",))
    _one_of(path, "stat", table["stat"], STATS)
    variable = str(table.get("variable", ""))
    if not variable and table["stat"] != "total":
        refuse(path, None, f"a {table['stat']} needs its variable")
    if table["stat"] == "share" and "=" not in variable:
        refuse(path, None, f'the variable of a share is written column=category; found "{variable}"')
    among = {str(name): tuple(str(each) for each in of) for name, of in table.get("among", {}).items()}
    return Estimate(table["stat"], variable, tuple(table.get("by", ())), among)


def _wanted(path: Path, table: Mapping[str, Any]) -> Wanted:
    authored.keys(path, table, [each.name for each in fields(Wanted)], ("flow", "period", "dimensions"))
    if table.get("share_of", "") and table["share_of"] not in table["dimensions"]:
        refuse(path, None, f'share_of "{table["share_of"]}" is not one of the dimensions of the table')
    if bool(table.get("share_of")) != (table.get("measure", "STK_POP") == "SHR"):
        refuse(path, None, 'share_of and measure = "SHR" go together')
    texts = {name: _text(path, table[name]) for name in ("title", "source_operation", "stat_pop") if name in table}
    return Wanted(**{**table, "period": str(table["period"]), **texts})


def _text(path: Path, given: Any) -> Text:
    """Words in every language; one wording stands for all."""
    if isinstance(given, str):
        return dict.fromkeys(LANGUAGES, given)
    if not isinstance(given, dict) or given.keys() != set(LANGUAGES):
        refuse(path, None, f"a text needs one wording, or one in each of {', '.join(LANGUAGES)}")
    return {lang: str(given[lang]) for lang in LANGUAGES}


def _one_of(path: Path, key: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        refuse(path, None, f'{key} "{value}" must be one of {", ".join(allowed)}')
