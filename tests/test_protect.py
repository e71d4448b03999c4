"""Protection: what is withheld cannot be worked out, and nothing else is touched.

The oracle is exact and written apart from the code under test: Gaussian elimination over fractions,
on equations spelled out by hand.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tables
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline import audit, describe, run
from pipeline import library as library_
from pipeline import settings as settings_
from pipeline.formats import formats
from pipeline.model import Ledger, Library, Observations, Origin, Protected, Report
from pipeline.protect import only, protect, protect_all, unite
from pipeline.thresholds import flow_of, is_forbidden, threshold_persons

DAY = "2026-11-24"
AREAS = {"CL": ("CL-RM", "CL-VS", "CL-AN")}
SEXES = {"_T": ("F", "M")}
ORIGINS = {"FOR": ("VE", "PE", "CO", "FOR_O")}
Key = tuple[str, str, str]
Cells = dict[Key, int]


def summed(inner: Iterable[int]) -> Cells:
    """A full table from its inner cells: every total is the sum of its parts."""
    cells: Cells = dict(zip(product(*AREAS.values(), *SEXES.values(), *ORIGINS.values()), inner, strict=True))
    return full(cells)


def full(inner: Cells) -> Cells:
    cells = dict(inner)
    for position, hierarchy in enumerate((AREAS, SEXES, ORIGINS)):
        for (total, parts), line in product(hierarchy.items(), {k[:position] + k[position + 1 :] for k in cells}):
            keys = [line[:position] + (part,) + line[position:] for part in parts]
            if all(key in cells for key in keys):
                cells[line[:position] + (total,) + line[position:]] = sum(cells[key] for key in keys)  # type: ignore[index]
    return cells


def equations(cells: Cells) -> list[dict[Key, int]]:
    found = []
    for position, hierarchy in enumerate((AREAS, SEXES, ORIGINS)):
        for total, parts in hierarchy.items():
            for key in cells:
                if key[position] == total:
                    line = {key: 1}
                    for part in parts:
                        line[key[:position] + (part,) + key[position + 1 :]] = -1  # type: ignore[index]
                    found.append(line)
    return found


def determined(cells: Cells, withheld: set[Key]) -> set[Key]:
    """Withheld cells that follow exactly from the rest, by reduced row echelon form over fractions."""
    unknowns = sorted(withheld)
    rows = [[Fraction(line.get(key, 0)) for key in unknowns] for line in equations(cells)]
    lead = 0
    pivots = []
    for column in range(len(unknowns)):
        pivot = next((r for r in range(lead, len(rows)) if rows[r][column]), None)
        if pivot is None:
            continue
        rows[lead], rows[pivot] = rows[pivot], rows[lead]
        rows[lead] = [value / rows[lead][column] for value in rows[lead]]
        for r, row in enumerate(rows):
            if r != lead and row[column]:
                rows[r] = [a - row[column] * b for a, b in zip(row, rows[lead], strict=True)]
        pivots.append((lead, column))
        lead += 1
    return {unknowns[c] for r, c in pivots if sum(1 for value in rows[r] if value) == 1}


def observations(library: Library, cells: Cells, source: str = "ADM_REG") -> Observations:
    flow = library.dataflows["DF_STOCK"]
    flow = replace(flow, protection=replace(flow.protection, floors=()))  # they have a test of their own
    frame = pd.DataFrame(list(cells), columns=["REF_AREA", "SEX", "COUNTRY_BIRTH"])
    frame["OBS_VALUE"] = np.array(list(cells.values()), dtype=float)
    constants = {
        "FREQ": "A",
        "SOURCE_TYPE": source,
        "MIG_MEASURE": "STK_POP",
        "AGE": "_T",
        "CITIZENSHIP": "_T",
    }
    constants |= {"COUNTERPART_AREA": "_Z", "DURATION": "_T", "REASON": "_T", "TIME_PERIOD": "2024"}
    constants |= {"OBS_STATUS": "A", "CONF_STATUS": "F", "UNIT_MEASURE": "PERS", "TIME_PER_COLLECT": "E"}
    frame = frame.assign(**constants, table=0, row=1, column=1, text="", COMMENT_OBS="note")
    frame["COMMENT_OBS"] = "note on " + frame["OBS_VALUE"].astype(str)
    coded = [c.id for c in flow.structure.components.values() if c.codelist is not None and c.id in frame]
    frame = frame.astype(dict.fromkeys([*coded, "COMMENT_OBS"], "category"))
    origin = Origin("CL/x.csv", "", "", "INE", "CC-BY-4.0", {}, {})
    return Observations("CL", flow, frame, (origin,), Ledger(len(frame), len(frame), {}))


def by_key(protected: Protected) -> dict[Key, float]:
    frame = protected.frame
    keys = zip(frame["REF_AREA"], frame["SEX"], frame["COUNTRY_BIRTH"], strict=True)
    return dict(zip(keys, frame["OBS_VALUE"], strict=True))


small_or_not = st.one_of(st.integers(0, 6), st.integers(0, 400))


@settings(max_examples=60, deadline=None)
@given(inner=st.lists(small_or_not, min_size=24, max_size=24))
def test_what_is_withheld_cannot_be_worked_out(library: Library, inner: list[int]) -> None:
    cells = summed(inner)
    protected = protect(observations(library, cells), library, day=DAY)
    shown = by_key(protected)
    withheld = {key for key, value in shown.items() if np.isnan(value)}
    small = {key for key, value in cells.items() if 1 <= value <= 4}
    assert small <= withheld
    assert not {key for key in determined(cells, withheld) if cells[key] > 0}
    assert all(shown[key] == cells[key] for key in cells if key not in withheld)
    marked = protected.frame.loc[protected.frame["CONF_STATUS"] == "A", "OBS_VALUE"]
    assert protected.suppressed == {"A": len(marked), "D": len(withheld) - len(marked)}
    assert len(marked) <= len(small)
    if not small:
        assert not withheld


@settings(max_examples=40, deadline=None)
@given(inner=st.lists(st.one_of(st.integers(0, 6), st.integers(50, 400)), min_size=24, max_size=24))
def test_a_table_without_its_inner_margins_is_safe_too(library: Library, inner: list[int]) -> None:
    """Only the area × origin plane and the sex × origin plane, which share a margin."""
    cells = {key: value for key, value in summed(inner).items() if key[0] == "CL" or key[1] == "_T"}
    shown = by_key(protect(observations(library, cells), library, day=DAY))
    withheld = {key for key, value in shown.items() if np.isnan(value)}
    known = [line for line in equations(cells) if line.keys() <= cells.keys()]
    assert known
    assert not {key for key in determined_in(known, withheld) if cells[key] > 0}


def determined_in(lines: list[dict[Key, int]], withheld: set[Key]) -> set[Key]:
    """The same oracle, with floating-point rank in place of fractions: a second opinion."""
    unknowns = sorted(withheld)
    matrix = np.array([[line.get(key, 0) for key in unknowns] for line in lines], dtype=float)
    if not unknowns:
        return set()
    rank = np.linalg.matrix_rank(matrix)
    unit = np.eye(len(unknowns))
    return {key for i, key in enumerate(unknowns) if np.linalg.matrix_rank(np.vstack([matrix, unit[i]])) == rank}


FIVE = ("Y0T4", "Y5T9", "Y10T14", "Y15T19", "Y20T24", "Y25T29")


@pytest.mark.thorough
@settings(max_examples=60, deadline=None)
@given(inner=st.lists(st.one_of(st.integers(0, 6), st.integers(50, 400)), min_size=12, max_size=12))
@example(inner=[3, 60, 90, 3, 200, 300, 100, 110, 120, 70, 210, 310])
def test_sums_that_overlap_give_nothing_away(library: Library, inner: list[int]) -> None:
    """Ages that add up to the total and, three of them, to a broad group as well.

    Here a cell can follow from sums that each have several withheld cells: closing single lines is
    not enough.
    """
    ages: dict[Key, int] = dict(zip(product(["CL"], ["F", "M"], FIVE), inner, strict=True))
    lines: list[dict[Key, int]] = []
    for sex in ("F", "M"):
        for total, parts in (("_T", FIVE), ("Y0T14", FIVE[:3])):
            ages["CL", sex, total] = sum(ages["CL", sex, part] for part in parts)
            lines.append({("CL", sex, total): 1, **{("CL", sex, part): -1 for part in parts}})
    for age in (*FIVE, "_T", "Y0T14"):
        ages["CL", "_T", age] = ages["CL", "F", age] + ages["CL", "M", age]
        lines.append({("CL", "_T", age): 1, ("CL", "F", age): -1, ("CL", "M", age): -1})
    lines += [
        {("CL", "_T", total): 1, **{("CL", "_T", part): -1 for part in parts}}
        for total, parts in (("_T", FIVE), ("Y0T14", FIVE[:3]))
    ]
    given_ = observations(library, ages)
    frame = given_.frame.assign(AGE=given_.frame["COUNTRY_BIRTH"], COUNTRY_BIRTH="FOR")
    frame = frame.astype({"COUNTRY_BIRTH": "category"})
    protected = protect(replace(given_, frame=frame, hierarchies=("HCL_AGE5", "HCL_AGE_BROAD")), library, day=DAY)
    shown = {
        (a, s, g): v
        for a, s, g, v in zip(*(protected.frame[c] for c in ("REF_AREA", "SEX", "AGE", "OBS_VALUE")), strict=True)
    }
    withheld = {key for key, value in shown.items() if np.isnan(value)}
    assert {key for key, value in ages.items() if 1 <= value <= 4} <= withheld
    assert not {key for key in determined_in(lines, withheld) if ages[key] > 0}


def pair(library: Library, small: int) -> pd.Series:
    """CONF_STATUS by origin of a table with two equal small counts, and two large ones."""
    origins = {"VE": small, "PE": small, "CO": 70, "FOR_O": 900}
    cells = {("CL", "_T", origin): value for origin, value in origins.items()}
    cells["CL", "_T", "FOR"] = sum(origins.values())
    frame = protect(observations(library, cells), library, day=DAY).frame
    assert not frame["OBS_VALUE"].isna()[frame["COUNTRY_BIRTH"] == "FOR"].any()
    return frame.set_index("COUNTRY_BIRTH")["CONF_STATUS"]


def test_two_counts_of_one_are_not_left_alone(library: Library) -> None:
    """Two withheld counts that sum to 2 are 1 and 1 for who knows that zeros are published."""
    assert pair(library, 1)["CO"] == "D"


def test_a_mark_that_would_tell_a_count_is_not_made(library: Library) -> None:
    """Two counts that sum to 8, each marked as below 5, are 4 and 4; marked otherwise they can be 1 and 7."""
    status = pair(library, 4)
    assert list(status[["VE", "PE"]]) == ["D", "D"]
    assert status["CO"] == "F"
    assert list(pair(library, 3)[["VE", "PE"]]) == ["A", "A"], "2 and 4 are as possible"


@pytest.mark.parametrize(("source", "smallest"), [("ADM_REG", 5), ("CEN", 5), ("ORG", 3), ("INT", 3)])
def test_the_threshold_follows_the_source(library: Library, source: str, smallest: int) -> None:
    cells = {("CL", "_T", origin): value for value, origin in enumerate(("VE", "PE", "CO", "BO", "EC"), 1)}
    shown = by_key(protect(observations(library, cells, source), library, day=DAY))
    assert sorted(value for value in shown.values() if not np.isnan(value)) == list(range(smallest, 6))


def test_what_is_too_fine_is_withheld_at_any_size(library: Library) -> None:
    """Of origin, area below the country and age in five years, two at most where the subject is sensitive."""
    flow = library.dataflows["DF_REFUGEE"]
    rows = [
        {"REF_AREA": area, "CITIZENSHIP": origin, "AGE": age, "OBS_VALUE": str(count // (3 if area == "CL-RM" else 1))}
        for area in ("CL", "CL-RM")
        for origin, age, count in (
            ("_T", "_T", 90_000),
            ("VE", "_T", 50_000),
            ("VE", "Y0T14", 9000),
            ("VE", "Y5T9", 3000),
        )
    ]
    made = protect(tables.observations(rows, flow), library, day=DAY).frame
    blank = made[made["OBS_VALUE"].isna()]
    assert blank[["REF_AREA", "CITIZENSHIP", "AGE"]].to_numpy().tolist() == [["CL-RM", "VE", "Y5T9"]]
    assert blank[["OBS_STATUS", "CONF_STATUS"]].to_numpy().tolist() == [["Q", "D"]]


@pytest.mark.parametrize(("foreign", "shown"), [(999, []), (1000, ["PE", "VE"]), (None, ["PE", "VE"])])
def test_a_small_area_shows_regions_of_origin_and_not_countries(
    library: Library, foreign: int | None, shown: list[str]
) -> None:
    counts = {"VE": 400, "PE": 300, "R005": 700} | ({"FOR": foreign} if foreign else {})
    rows = [{"REF_AREA": "CL-AN", "COUNTRY_BIRTH": code, "OBS_VALUE": str(value)} for code, value in counts.items()]
    rows += [{**row, "REF_AREA": "CL", "OBS_VALUE": "90000"} for row in rows]
    made = protect(tables.observations(rows, library.dataflows["DF_STOCK"]), library, day=DAY).frame
    seen = made[made["OBS_VALUE"].notna()]
    of_area = seen.loc[seen["REF_AREA"] == "CL-AN", "COUNTRY_BIRTH"]
    assert sorted({*of_area} - {"R005", "FOR"}) == shown
    assert (seen["REF_AREA"] == "CL").sum() == len(counts)


@pytest.mark.parametrize(
    ("source", "counts", "blank"),
    [
        ("ADM_ASY", {"PROT": 40, "REF": 40, "ASY": 0, "COMP": 0}, "REF"),
        ("ADM_ASY", {"PROT": 40, "REF": 30, "ASY": 10, "COMP": 0}, ""),
        ("ADM_ASY", {"PROT": 40, "REF": 40}, ""),  # the table knows one status alone: it says nothing of theirs
        ("ORG", {"PROT": 40, "REF": 40, "ASY": 0, "COMP": 0}, ""),  # an estimate counts nobody
    ],
)
def test_it_is_not_told_that_all_of_a_group_are_of_one_kind(
    library: Library, source: str, counts: dict[str, int], blank: str
) -> None:
    rows = [
        {"SOURCE_TYPE": source, "CITIZENSHIP": "VE", "LEGAL_STATUS": status, "OBS_VALUE": str(count)}
        for status, count in counts.items()
    ]
    made = protect_all([tables.observations(rows, library.dataflows["DF_REFUGEE"])], library, day=DAY)
    shown = made.tables[0].frame.set_index("LEGAL_STATUS")["OBS_VALUE"]
    hidden = shown.index[shown.isna()]
    if not blank:
        assert list(hidden) == []
        return
    assert blank in hidden
    assert {"ASY", "COMP"} <= set(hidden), "the zeros alone would say it too"
    assert shown["PROT"] == 40
    assert is_forbidden(made.tables[0].flow, made.tables[0].frame, library.list_of).sum() == 0
    given_back = made.tables[0].frame.assign(OBS_VALUE=shown.index.map(counts).astype(float))
    assert is_forbidden(made.tables[0].flow, given_back, library.list_of).sum() == 3, "the check of the release sees it"
    assert not audit.audit(made.tables, (), made.linked, library, needs=made.needs, reach=made.reach)
    zeros = made.tables[0].frame["LEGAL_STATUS"].isin(["ASY", "COMP"])
    alone = made.tables[0].frame.assign(OBS_VALUE=shown.mask(zeros.to_numpy(), 0.0).to_numpy())
    told = audit.audit([replace(made.tables[0], frame=alone)], (), made.linked, library, needs=made.needs)
    assert told["CL", "DF_REFUGEE"][0].count == 3, "the attack finds the kind, and the zeros that tell it"


def test_a_country_may_ask_for_more_and_says_by_which_law(library: Library, office: Path) -> None:
    path = office / "metadata/national/XX/DF_BORDER.toml"
    law = '{ en = "Article 9 of Act 1.", es = "Artículo 9 de la Ley 1.", pt = "Artigo 9 da Lei 1." }'
    asked = '[[protection.threshold]]\npersons = 12\nwhen = "SEX in F"\n[[protection.threshold]]\npersons = 4\n'
    path.write_text(path.read_text(encoding="utf-8") + f"\n[protection]\nlaw = {law}\n{asked}", encoding="utf-8")
    loaded = library_.load(office)
    flow = flow_of("XX", "DF_BORDER", loaded)
    rows = [{"SEX": sex, "OBS_VALUE": str(count)} for sex in "FM" for count in (4, 5, 11, 12)]
    frame = tables.frame(rows, flow)
    assert threshold_persons(flow, frame, loaded.list_of).tolist() == [12] * 4 + [5] * 4, "4 is less than dsd/ asks for"
    assert flow_of("XX", "DF_STOCK", loaded) is loaded.dataflows["DF_STOCK"]
    received = run.receive(office, loaded.countries["XX"].series["DF_BORDER"], loaded)
    assert received.flow.protection.law["en"] == "Article 9 of Act 1."
    made = protect(received, loaded, day=DAY)
    said = describe.describe(
        made,
        loaded.countries["XX"],
        loaded,
        report=Report("XX", "DF_BORDER", (), {}),
        settings=settings_.settings(office / "publish.toml", loaded, formats=formats()),
    )
    told = said.fields["CONF_DATA_TR"]
    assert told["en"].endswith("Article 9 of Act 1.")
    assert told["es"].endswith("Artículo 9 de la Ley 1.")
    assert told["pt"].endswith("Artigo 9 da Lei 1.")


def test_the_national_total_stays(library: Library) -> None:
    cells = summed([3, 200, 150, 90] + [120] * 20)
    assert (
        by_key(protect(observations(library, cells), library, day=DAY))["CL", "_T", "FOR"] == cells["CL", "_T", "FOR"]
    )


def test_nothing_that_speaks_of_a_withheld_value_stays(library: Library) -> None:
    protected = protect(observations(library, summed([3] * 24)), library, day=DAY)
    hidden = protected.frame[protected.frame["OBS_VALUE"].isna()]
    assert set(hidden["OBS_STATUS"]) == {"Q"}
    assert set(hidden["CONF_STATUS"]) <= {"A", "D"}
    assert set(hidden["COMMENT_OBS"]) == {""}
    said = protected.frame["COMMENT_OBS"]
    assert set(said.cat.categories) == set(said)  # nor does the column know of it
    assert "note on 3.0" not in set(said)
    assert "text" not in protected.frame


def test_tables_put_together_and_taken_apart_keep_their_figures(library: Library) -> None:
    one = protect(observations(library, summed([30] * 24)), library, day=DAY)
    whole = unite([one, one], library)
    assert len(whole.frame) == 2 * len(one.frame)
    assert sorted(set(whole.frame["table"])) == [0, 1]
    assert set(only(whole, "CL").frame["REF_AREA"]) == {"CL"}
