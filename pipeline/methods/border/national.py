"""The tables of a run as a national office delivers tables: one CSV a dataflow, and the layout that reads it.

They go through `publish` like any other: nothing here is protected, and nothing here is public.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from pipeline.methods.border.days import day_text
from pipeline.methods.border.provisional import estimates
from pipeline.methods.border.rule import NON_RESIDENT, RESIDENT, RULES, Rule

TOTAL, UNKNOWN = "_T", "_U"
KEYS = ("FREQ", "TIME_PERIOD", "MIG_MEASURE", "SEX", "AGE", "CITIZENSHIP", "COUNTERPART_AREA", "DURATION")
BORDER_KEYS = (*KEYS, "TRANSPORT_MODE", "TRAVELLER_TYPE")
_PUBLISHED = ("month", "measure", "sex", "age", "citizenship", "counterpart")
_OLDEST = 85
_RESIDENCE = {(RESIDENT, True): "RES_NAT", (RESIDENT, False): "RES_FOR"}
_RESIDENCE |= {(NON_RESIDENT, True): "NRES_NAT", (NON_RESIDENT, False): "NRES_FOR"}


@dataclass(frozen=True)
class Frame:
    """What the tables are about: the country, the rule, and the months that they can speak of.

    `begin` is the first month whose flows do not rest on statuses that were only inferred: a window after the first
    record, unless initial statuses are given.
    """

    area: str
    rule: Rule
    first_day: int
    has_initial: bool
    visitors: Sequence[str] = ("TOUR",)

    @property
    def method(self) -> str:
        """The code of the rule; the one that is none of the three is a model."""
        days = (self.rule.threshold_days, self.rule.window_days)
        return next((code for code, of in RULES.items() if of == days), "MODEL")

    @property
    def begin(self) -> int:
        """The first whole month of flows, such as 202403."""
        return _next_month(self.first_day - 1 if self.has_initial else self.first_day + self.rule.window_days)

    @property
    def end(self) -> int:
        """The month after the last whole one."""
        return _next_month(self.rule.obs_end) if _is_month_end(self.rule.obs_end) else _month(self.rule.obs_end)


def tables(
    data: Mapping[str, pd.DataFrame], frame: Frame, base: pd.DataFrame | None, status: str
) -> Mapping[str, pd.DataFrame]:
    """The table of each dataflow that the run can speak of; `status` is that of all flows, where they have one."""
    cells = flow_cells(data, frame)
    found = {"DF_FLOW": _flow_table(cells, frame, status), "DF_BORDER": _border_table(data, frame)}
    if base is not None:
        found["DF_STOCK"] = _stock_table(cells, frame, base, status)
    return found


# ---------------------------------------------------------------- flows


def flow_cells(data: Mapping[str, pd.DataFrame], frame: Frame) -> pd.DataFrame:
    """Flows by month, measure and attributes, in codes; only months that a figure can be given for."""
    flows = estimates(data["flows"], data["pending"], data["outcomes"])
    flows = flows.assign(measure=flows["is_arrival"].astype(bool).map({True: "FLW_IN", False: "FLW_OUT"}))
    short = data["temporary"].rename(columns={"arrivals": "persons"}).assign(measure="FLW_TMP", counterpart=TOTAL)
    window = _month(frame.rule.obs_end - frame.rule.window_days)
    short["is_provisional"] = short["month"] >= window  # a short stay may yet grow
    cells = pd.concat([flows, short], ignore_index=True)
    cells = cells[(cells["month"] >= frame.begin) & (cells["month"] < frame.end) & cells["persons"].notna()]
    return cells.assign(
        citizenship=origin(cells["citizenship"], frame.area),
        counterpart=cells["counterpart"].replace("", UNKNOWN),
        sex=cells["sex"].replace("", UNKNOWN),
        age=age_groups(cells["age"]),
    )


def _flow_table(cells: pd.DataFrame, frame: Frame, status: str) -> pd.DataFrame:
    """By month: sex, and nationals and foreigners; by year: age and sex, citizenship and sex, counterpart."""
    broad = cells.assign(citizenship=origin(cells["citizenship"], frame.area, is_detailed=False))
    monthly = _added(broad, ("sex",), ("citizenship",))
    yearly_cells = _years(cells, frame)
    yearly = _added(yearly_cells, ("sex", "age"), ("sex", "citizenship"), ("counterpart",))
    found = pd.concat([_periods(monthly, "M"), _periods(yearly, "A")], ignore_index=True)
    found["DURATION"] = found["measure"].eq("FLW_TMP").map({True: "M3T11", False: TOTAL})
    return _delivered(found, KEYS, status)


def _added(cells: pd.DataFrame, *by: tuple[str, ...]) -> pd.DataFrame:
    """Sums for each set of attributes and all sets within it, with totals where an attribute is not shown."""
    sets = {part for one in by for part in _within(one)}
    found = []
    for shown in sorted(sets):
        hidden = [name for name in ("sex", "age", "citizenship", "counterpart") if name not in shown]
        sized = cells.assign(**dict.fromkeys(hidden, TOTAL))
        if "citizenship" in shown:
            foreign = sized[~sized["citizenship"].isin(["NAT", "FOR", "STLS", UNKNOWN])].assign(citizenship="FOR")
            sized = pd.concat([sized, foreign])
        if "counterpart" in shown:
            sized = sized[sized["counterpart"] != TOTAL]
        found.append(sized)
    every = pd.concat(found) if found else cells
    by_key = every.groupby(list(_PUBLISHED), as_index=False)
    return by_key.agg(persons=("persons", "sum"), is_provisional=("is_provisional", "max"))


def _within(shown: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    for pick in range(2 ** len(shown)):
        yield tuple(name for place, name in enumerate(shown) if pick >> place & 1)


def _years(cells: pd.DataFrame, frame: Frame) -> pd.DataFrame:
    """Cells of whole years, with the year in place of the month."""
    year = cells["month"] // 100
    is_whole = (year * 100 + 1 >= frame.begin) & (year * 100 + 12 < frame.end)
    return cells[is_whole].assign(month=year[is_whole])


# ---------------------------------------------------------------- crossings


def _border_table(data: Mapping[str, pd.DataFrame], frame: Frame) -> pd.DataFrame:
    """Entries and exits by month, citizenship and mode, and by type of traveller; unmatched ones; overstays."""
    crossings = data["crossings"]
    crossings = crossings[(crossings["month"] < frame.end) & (crossings["month"] >= _next_month(frame.first_day - 1))]
    cells = crossings.assign(
        measure=crossings["is_arrival"].astype(bool).map({True: "CRS_IN", False: "CRS_OUT"}),
        citizenship=origin(crossings["citizenship"], frame.area, is_detailed=False),
        mode=crossings["mode"].replace("", UNKNOWN),
        persons=crossings["crossings"],
    )
    is_national = cells["citizenship"] == "NAT"
    known = pd.Series(
        [_RESIDENCE.get(pair, UNKNOWN) for pair in zip(cells["status"], is_national, strict=True)], index=cells.index
    )
    cells["type"] = cells["traveller_type"].where(cells["traveller_type"].isin(["CREW", "XBW"]), known)
    missing = cells.assign(measure="CRS_UNM", persons=cells["imputed"], mode=TOTAL, type=TOTAL)
    shown = [
        cells.assign(type=TOTAL),
        cells.assign(type=TOTAL, mode=TOTAL),
        cells.assign(type=TOTAL, citizenship=TOTAL),
        cells.assign(type=TOTAL, citizenship=TOTAL, mode=TOTAL),
        cells.assign(citizenship=TOTAL, mode=TOTAL),
        missing.assign(citizenship=TOTAL),
        missing,
    ]
    keys = ["month", "measure", "citizenship", "mode", "type"]
    monthly = pd.concat(shown).groupby(keys, as_index=False).agg(persons=("persons", "sum"))
    monthly = monthly[monthly["persons"] > 0].rename(columns={"mode": "TRANSPORT_MODE", "type": "TRAVELLER_TYPE"})
    monthly = _periods(monthly.assign(sex=TOTAL, age=TOTAL, counterpart=TOTAL, is_provisional=False), "M")
    found = pd.concat([monthly, _overstays(data["overstays"], frame)], ignore_index=True)
    return _delivered(found.assign(DURATION=TOTAL), BORDER_KEYS, "")


def _overstays(table: pd.DataFrame, frame: Frame) -> pd.DataFrame:
    """Foreigners there at the end of a year for longer than a visitor may be, by citizenship and sex."""
    if not frame.rule.permitted_days:
        return pd.DataFrame()
    over = table[table["purpose"].isin(frame.visitors) & (table["year"] * 100 + 12 < frame.end)]
    cells = over.assign(citizenship=origin(over["citizenship"], frame.area), sex=over["sex"].replace("", UNKNOWN))
    cells = cells[cells["citizenship"] != "NAT"].assign(
        month=cells["year"], measure="BRD_OVER", age=TOTAL, counterpart=TOTAL, is_provisional=False
    )
    added = _added(cells, ("sex", "citizenship"))
    is_shown = (added["citizenship"] != TOTAL) & ~((added["sex"] != TOTAL) & (added["citizenship"] != "FOR"))
    return _periods(added[is_shown].assign(TRANSPORT_MODE=TOTAL, TRAVELLER_TYPE=TOTAL), "A")


# ---------------------------------------------------------------- stocks


def _stock_table(cells: pd.DataFrame, frame: Frame, base: pd.DataFrame, status: str) -> pd.DataFrame:
    """Residents at each year's end: the base, then P(t) = P(t-1) + arrivals - departures + births - deaths.

    `base` has the columns component (STK_POP, CMP_BIRTH, CMP_DEATH), year, citizenship, sex and persons. It is a
    stock of the end of one year; the components of the years after it may follow.
    """
    sign = {"FLW_IN": 1, "FLW_OUT": -1, "CMP_BIRTH": 1, "CMP_DEATH": -1}
    given = base.assign(citizenship=origin(base["citizenship"], frame.area), sex=base["sex"].replace("", UNKNOWN))
    start = given[given["component"] == "STK_POP"]
    anchor = int(start["year"].max())
    yearly = _years(cells[cells["measure"].isin(["FLW_IN", "FLW_OUT"])], frame)
    moves = yearly.rename(columns={"measure": "component", "month": "year"})
    keys = ["citizenship", "sex"]
    changes = pd.concat([moves, given[given["component"].isin(sign)]], ignore_index=True)
    changes = changes.assign(persons=changes["persons"] * changes["component"].map(sign))
    stock = start[start["year"] == anchor].groupby(keys)["persons"].sum().astype("float64")
    shown, is_provisional = [_of_year(stock, anchor, is_provisional=False)], False
    for year in sorted(int(y) for y in yearly["month"].unique() if y > anchor):
        if year != anchor + len(shown):
            break  # a year without flows ends the line
        own = changes[changes["year"] == year]
        stock = stock.add(own.groupby(keys)["persons"].sum(), fill_value=0)
        is_provisional = is_provisional or bool(own["is_provisional"].fillna(value=False).any())
        shown.append(_of_year(stock, year, is_provisional=is_provisional))
    every = _added(pd.concat(shown, ignore_index=True), ("sex", "citizenship"))
    found = _delivered(_periods(every, "A").assign(DURATION=TOTAL, COUNTERPART_AREA="_Z"), KEYS, status)
    return found.assign(REF_DATE=found["TIME_PERIOD"] + "-12-31")


def _of_year(stock: pd.Series[float], year: int, *, is_provisional: bool) -> pd.DataFrame:
    return (
        stock.rename("persons")
        .reset_index()
        .assign(month=year, measure="STK_POP", age=TOTAL, counterpart=TOTAL, is_provisional=is_provisional)
    )


# ---------------------------------------------------------------- codes


def origin(citizenship: pd.Series[str], area: str, *, is_detailed: bool = True) -> pd.Series[str]:
    """Citizenship in codes: the country itself is NAT, a blank is unknown; without detail a foreigner is FOR."""
    found = citizenship.replace({area: "NAT", "": UNKNOWN})
    return found if is_detailed else found.where(found.isin(["NAT", "STLS", UNKNOWN]), "FOR")


def age_groups(years: pd.Series[float]) -> pd.Series[str]:
    """Five-year groups to 85 and over."""
    low = (years.fillna(-1) // 5 * 5).astype(int)
    codes = {group: f"Y{group}T{group + 4}" for group in range(0, _OLDEST, 5)}
    return low.map(codes).where(low < _OLDEST, f"Y_GE{_OLDEST}").where(low >= 0, UNKNOWN)


def _periods(table: pd.DataFrame, frequency: str) -> pd.DataFrame:
    """Months as 2024-03, years as 2024."""
    number = table["month"].astype(int)
    text = number.astype(str)
    period = text if frequency == "A" else text.str.slice(0, 4) + "-" + text.str.slice(4, 6)
    return table.assign(FREQ=frequency, TIME_PERIOD=period)


def _delivered(table: pd.DataFrame, keys: Sequence[str], status: str) -> pd.DataFrame:
    """The columns of a delivery, in order."""
    names = {"measure": "MIG_MEASURE", "sex": "SEX", "age": "AGE", "citizenship": "CITIZENSHIP"}
    if "COUNTERPART_AREA" not in table:
        names["counterpart"] = "COUNTERPART_AREA"
    found = table.rename(columns=names)
    found["OBS_VALUE"] = found["persons"].round().astype("int64")
    found["OBS_STATUS"] = found["is_provisional"].astype(bool).map({True: "P", False: "A"})
    if status:
        found["OBS_STATUS"] = status
    return found[[*keys, "OBS_VALUE", "OBS_STATUS"]].sort_values(list(keys), ignore_index=True)


def _month(day: int) -> int:
    text = day_text(day)
    return int(text[:4]) * 100 + int(text[5:7])


def _next_month(day: int) -> int:
    """The first month that begins after a day."""
    month = _month(day)
    return month + (89 if month % 100 == 12 else 1)


def _is_month_end(day: int) -> bool:
    return _month(day) != _month(day + 1)
