"""Rules between tables and between countries: worked figures, symmetry, and what never takes part."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema_rs
import pytest
import tables

from pipeline import across
from pipeline.across import arguments, mirror
from pipeline.errors import SetupError
from pipeline.framework import Rule
from pipeline.model import Compared, Library

ROOT = Path(__file__).parents[1]
CASES = Path(__file__).parent / "cases"
_OTHER = {"origin": "destination", "destination": "origin"}


def compared(library: Library, *rows: tables.ROW) -> Compared:
    return across.compare(tables.wholes(rows, library), library)


def only(library: Library, rule: str) -> Library:
    """The library with one rule between tables and no other."""
    flows = {
        flow.id: replace(flow, rules=tuple(each for each in flow.rules if each.id == rule))
        for flow in library.dataflows.values()
    }
    return replace(library, dataflows=flows)


def emigrants(area: str, destination: str, figure: object, **more: str) -> tables.ROW:
    said = {"COUNTERPART_AREA": destination, "OBS_VALUE": figure, "SOURCE_TYPE": "ADM_CON"}
    return {"DATAFLOW": "DF_EMIG", "REF_AREA": area, "COUNTRY_BIRTH": "NAT", "TIME_PERIOD": "2020", **said, **more}


def residents(area: str, origin: str, figure: object, **more: str) -> tables.ROW:
    said = {"COUNTRY_BIRTH": origin, "OBS_VALUE": figure, "TIME_PERIOD": "2020"}
    return {"DATAFLOW": "DF_STOCK", "REF_AREA": area, **said, **more}


def flow(area: str, measure: str, counterpart: str, figure: object, **more: str) -> tables.ROW:
    said = {"MIG_MEASURE": measure, "COUNTERPART_AREA": counterpart, "OBS_VALUE": figure}
    return {"DATAFLOW": "DF_FLOW", "REF_AREA": area, **said, **more}


# ---------------------------------------------------------------- the worked figures of framework §4


def test_the_worked_mirror(library: Library) -> None:
    found = compared(library, flow("CL", "FLW_OUT", "PE", 1200), flow("PE", "FLW_IN", "CL", 1800))
    (row,) = found.mirrors["flows"].to_dict("records")
    assert (row["origin"], row["destination"], row["cc"], row["ratio"]) == ("CL", "PE", 0.4, 1.5)
    assert (row["severity"], row["comparison"]) == ("I", "compared")


def test_the_worked_balance(library: Library) -> None:
    found = across.compare(tables.wholes(tables.read(CASES / "ACC-10/case.csv"), library), library)
    (row,) = found.findings.to_dict("records")
    assert (row["rule"], row["severity"], row["figure"], row["measure"]) == ("ACC-10", "W", 1029, -1)


def test_a_balance_lacks_a_term_and_is_not_made(library: Library) -> None:
    rows = tables.read(CASES / "ACC-10/case.csv")
    for missing in range(2, len(rows)):
        left = compared(library, *rows[:missing], *rows[missing + 1 :])
        assert left.counts.empty, rows[missing]


def test_a_term_of_several_sources_is_taken_from_that_of_the_stock(library: Library) -> None:
    rows = tables.read(CASES / "ACC-10/passing.csv")
    other = {**rows[4], "SOURCE_TYPE": "ADM_PRM", "OBS_VALUE": "400"}
    # Two sources, neither of them that of the stock.
    assert "ACC-10" not in compared(library, *rows, other).counts["rule"].tolist()
    own = {**rows[4], "SOURCE_TYPE": "ADM_REG"}
    assert "ACC-10" in compared(library, *rows, own).counts["rule"].tolist()


# ---------------------------------------------------------------- mirrors


def test_limits_are_those_of_the_rule(library: Library) -> None:
    for received, severity in ((1500, ""), (1560, "I"), (1990, "I"), (2010, "W")):
        found = compared(library, flow("CL", "FLW_OUT", "PE", 1200), flow("PE", "FLW_IN", "CL", received))
        assert found.mirrors["flows"]["severity"].tolist() == [severity], received


def test_the_table_is_the_same_from_either_side(library: Library) -> None:
    rows = [
        emigrants("CL", "AR", 141348, SOURCE_TYPE="ORG", TIME_PERIOD="2024"),
        emigrants("CL", "AR", 139000, SOURCE_TYPE="ORG"),
        emigrants("CL", "PE", 12000),
        emigrants("CL", "PE", 5100, SEX="F"),
        residents("AR", "CL", 191000, SOURCE_TYPE="CEN", TIME_PERIOD="2022"),
        residents("AR", "CL", 150000, SOURCE_TYPE="ORG"),
        residents("AR", "_T", 209934, SOURCE_TYPE="ADM_REG", CITIZENSHIP="CL", TIME_PERIOD="2023"),
        residents("PE", "CL", 14500),
        residents("PE", "_T", 15500, CITIZENSHIP="CL"),
        residents("PE", "CL", 7000, SEX="F"),
        residents("PE", "CL", 7500, SEX="M"),
    ]
    wholes = tables.wholes(rows, library)
    (rule,) = (each for each in across.rules(library) if each.id == "MIR-02")
    says = arguments.settings(rule)
    turned = replace(
        rule,
        when=rule.then,
        then=rule.when,
        dataflows=rule.dataflows[::-1],
        argument=rule.argument.replace(f"origin={says['origin']}", f"origin={says['destination']}").replace(
            f"destination={says['destination']}", f"destination={says['origin']}"
        ),
    )
    one, two = (mirror.mirror(wholes, each, library).table for each in (rule, turned))
    back = {
        name: "_".join([_OTHER.get(first, first), *rest]) for name in two for first, *rest in [name.split("_")] if rest
    }
    both = {**_OTHER, "origin destination": "origin destination"}
    two = two.rename(columns=back).assign(ratio=1 / two["ratio"], mirror_estimate=two["mirror_estimate"].map(both))
    two["mirror_estimate"] = two["mirror_estimate"].astype("object").where(two["mirror_estimate"].notna(), "")
    order = ["origin", "destination", "sex", "origin_period", "destination_source_type"]
    assert len(one) == 4
    left, right = (each.sort_values(order).to_dict("records") for each in (one, two[one.columns]))
    for here, there in zip(left, right, strict=True):
        assert here.pop("ratio") == pytest.approx(there.pop("ratio"))
        assert here == there


def test_years_are_paired_with_the_nearest_and_no_farther_than_the_rule_says(library: Library) -> None:
    by_year = [residents("AR", "CL", 1000, TIME_PERIOD=year) for year in ("2017", "2019", "2020", "2021")]
    table = compared(library, emigrants("CL", "AR", 1000), *by_year).mirrors["stocks"]
    assert table[["origin_period", "destination_period"]].values.tolist() == [["2020", "2020"]]
    table = compared(library, emigrants("CL", "AR", 1000), by_year[1], by_year[3]).mirrors["stocks"]
    assert table["destination_period"].tolist() == ["2021"]  # of two as near, the later
    assert compared(library, emigrants("CL", "AR", 1000), by_year[0]).mirrors["stocks"].empty


def test_birth_is_compared_with_birth_where_both_have_it(library: Library) -> None:
    citizens = residents("AR", "_T", 900, CITIZENSHIP="CL")
    table = compared(library, emigrants("CL", "AR", 1000), residents("AR", "CL", 1000), citizens).mirrors["stocks"]
    assert table[["origin_basis", "destination_basis"]].values.tolist() == [["COUNTRY_BIRTH", "COUNTRY_BIRTH"]]
    table = compared(library, emigrants("CL", "AR", 1000), citizens).mirrors["stocks"]
    assert table["differences"].tolist() == ["SOURCE_TYPE BASIS"]


def test_one_estimate_seen_from_both_sides_is_no_agreement(library: Library) -> None:
    rows = emigrants("CL", "AR", 5000, SOURCE_TYPE="ORG"), residents("AR", "CL", 900, SOURCE_TYPE="ORG")
    found = compared(library, *rows)
    (row,) = found.mirrors["stocks"].to_dict("records")
    assert (row["comparison"], row["mirror_estimate"], row["severity"]) == ("one_estimate", "origin destination", "")
    assert found.findings.empty


def test_the_partners_own_data_are_not_compared_with_themselves(library: Library) -> None:
    found = compared(library, emigrants("CL", "AR", 5000, SOURCE_TYPE="MIR"), residents("AR", "CL", 900))
    (row,) = found.mirrors["stocks"].to_dict("records")
    assert (row["comparison"], row["mirror_estimate"], row["severity"]) == ("partner_data", "origin", "")


def test_two_offices_of_one_name_are_two(library: Library) -> None:
    found = compared(library, emigrants("CL", "AR", 5000, PROVIDER="INE"), residents("AR", "CL", 900, PROVIDER="INE"))
    assert found.mirrors["stocks"]["comparison"].tolist() == ["compared"]


def test_remittances_are_compared_in_units_and_item_by_item(library: Library) -> None:
    def row(area: str, measure: str, other: str, figure: int, **more: str) -> tables.ROW:
        said = {"MIG_MEASURE": measure, "COUNTERPART_AREA": other, "OBS_VALUE": figure}
        return {"DATAFLOW": "DF_REMIT", "REF_AREA": area, **said, **more}

    sent = row("CL", "REM_OUT", "PE", 500, UNIT_MULT="6")
    table = compared(library, sent, row("PE", "REM_IN", "CL", 500000, UNIT_MULT="3")).mirrors["remittances"]
    assert table[["origin_figure", "destination_figure", "cc"]].values.tolist() == [[5e8, 5e8, 0]]
    other = row("PE", "REM_IN", "CL", 500000, UNIT_MULT="3", REMIT_ITEM="REM_PT")
    assert compared(library, sent, other).mirrors["remittances"].empty


def test_facing_posts_are_one_place_whichever_names_the_other(library: Library) -> None:
    facing = tables.with_facing_posts(library)
    rows = tables.read(CASES / "MIR-04/case.csv")
    there = [{**row, "MIG_MEASURE": {"CRS_IN": "CRS_OUT", "CRS_OUT": "CRS_IN"}[row["MIG_MEASURE"]]} for row in rows]
    one = compared(facing, *rows).mirrors["border_posts"].to_dict("records")
    two = compared(facing, *there).mirrors["border_posts"].to_dict("records")
    assert [(r["origin"], r["destination"], r["place"]) for r in one + two] == [
        ("EC", "CO", "CO_X+EC_05"),
        ("CO", "EC", "CO_X+EC_05"),
    ]
    assert compared(library, *rows[:1]).mirrors["border_posts"].empty


# ---------------------------------------------------------------- what never takes part


HIDDEN = {"OBS_VALUE": "", "OBS_STATUS": "Q", "CONF_STATUS": "A"}


@pytest.mark.parametrize("path", sorted(CASES.glob("*/passing.csv")), ids=lambda path: path.parent.name)
def test_no_figure_stands_beside_a_withheld_one(path: Path, library: Library) -> None:
    """Each figure of each failing case is withheld in turn: no rule speaks of that pair, but says that it does not."""
    rows = tables.read(path.with_name("case.csv"))
    name = "XDF-02" if path.parent.name == "XDF-00" else path.parent.name
    facing = only(tables.with_facing_posts(library), name)
    for number, row in enumerate(rows):
        hidden = [*rows[:number], {**row, **HIDDEN}, *rows[number + 1 :]]
        found = compared(facing, *hidden)
        assert found.findings.empty
        assert (found.counts["state"] == "withheld").any()
        for table in found.mirrors.values():
            assert table[["origin_figure", "destination_figure", "ratio", "cc"]].isna().all().all()


def test_a_count_below_ten_stands_beside_no_other(library: Library) -> None:
    found = compared(library, emigrants("CL", "AR", 9), residents("AR", "CL", 900))
    (row,) = found.mirrors["stocks"].to_dict("records")
    assert row["comparison"] == "withheld"
    records = across.records(found, across.rules(library))
    assert b"900" not in records["reports/mirror/stocks.csv"]


def test_a_missing_figure_is_no_figure(library: Library) -> None:
    missing = residents("AR", "CL", "", OBS_STATUS="M")
    assert compared(library, emigrants("CL", "AR", 1000), missing).counts.empty


# ---------------------------------------------------------------- other comparisons


def test_a_plausibility_rule_takes_the_nearest_year(library: Library) -> None:
    national = {"SOURCE_TYPE": "ADM_REG", "CITIZENSHIP": "VE", "TIME_PERIOD": "2022", "OBS_VALUE": 1600}
    world = {"SOURCE_TYPE": "ORG", "COUNTRY_BIRTH": "VE"}
    by_year = [
        {**world, "TIME_PERIOD": year, "OBS_VALUE": n} for year, n in (("2019", 1000), ("2020", 1100), ("2024", 1000))
    ]
    (row,) = compared(library, national, *by_year).findings.to_dict("records")
    assert (row["other_period"], row["key"]) == ("2024", "CITIZENSHIP=VE")
    assert compared(library, national, by_year[0]).counts.empty


def test_regions_of_a_country_are_compared_with_themselves(library: Library) -> None:
    rows = [
        {"REF_AREA": area, "SOURCE_TYPE": source, "OBS_VALUE": figure}
        for area, source, figure in (("CL-AN", "CEN", 700), ("CL-AN", "SUR", 1000), ("CL-AP", "CEN", 300))
    ]
    (row,) = compared(library, *rows).findings.to_dict("records")
    assert (row["area"], row["key"], row["source"], row["other_source"]) == ("CL", "REF_AREA=CL-AN", "SUR", "CEN")


def test_rounded_figures_may_differ_by_their_base(library: Library) -> None:
    chile = tables.with_chile(library).countries["CL"]
    some = next(iter(library.countries["CL"].series.values()))
    rounded = replace(chile, series={f: replace(some, rounding_base=5) for f in ("DF_STOCK", "DF_SOCIO")})
    rows = tables.read(CASES / "XDF-01/case.csv")
    assert len(compared(library, *rows).findings) == 1
    assert compared(replace(library, countries={"CL": rounded}), *rows).findings.empty


def test_a_finding_says_where_and_what(library: Library) -> None:
    (issue,) = tables.across_issues(tables.read(CASES / "PLA-01/case.csv"), library)
    assert (issue.file, issue.cells, issue.count) == ("INE.xlsx", ("I2",), 1)
    assert issue.found == "CITIZENSHIP=VE 2023: 1\u00a0600 ↔ 1\u00a0000 (DF_STOCK ORG 2024)"
    assert issue.expected == "0.67 … 1.5"


# ---------------------------------------------------------------- authored rules


@pytest.mark.parametrize(
    ("check", "argument", "fault"),
    [
        ("ratio", "by=SEX; loud=3", '"loud=3" is not understood'),
        ("ratio", "by=SEX; by=AGE", '"by=AGE" is not understood'),
        ("ratio", "high=1.5", 'lacks "by="'),
        ("ratio", "by=SEX; high=much", '"much" is not a number'),
        ("mirror", "kind=flows; origin=REF_AREA; destination=REF_AREA>SEX", "names no two ends"),
        ("balance", "component=SEX; code=_T; equation=STK_POP", "is not an equation"),
        ("balance", "component=SEX; code=_T; equation=STK_POP := 3 x 4", "is not an equation"),
    ],
)
def test_an_argument_that_is_not_understood_is_refused(check: str, argument: str, fault: str) -> None:
    with pytest.raises(SetupError, match=fault):
        arguments.settings(Rule("MIR-01", "W", "across", check, argument, "", ""))


def test_an_equation_is_read(library: Library) -> None:
    (rule,) = (each for each in across.rules(library) if each.id == "ACC-12")
    total, terms = arguments.equation(rule)
    assert total == "STK_POP"
    assert [(t.measure, t.sign, t.code, t.lag, t.is_optional) for t in terms] == [
        ("STK_POP", 1, "", 1, False),
        ("FLW_IN", 1, "", 0, False),
        ("FLW_OUT", -1, "", 0, False),
        ("CMP_BIRTH", 1, "", 0, False),
        ("CMP_DEATH", -1, "", 0, False),
        ("FLW_NAT", -1, "", 0, False),
        ("FLW_NATL", 1, "NAT", 0, True),
        ("CMP_ADJ", 1, "", 0, True),
    ]


# ---------------------------------------------------------------- machine records


@pytest.mark.parametrize("path", sorted(CASES.glob("*/passing.csv")), ids=lambda path: path.parent.name)
def test_machine_records_fit_their_schemas(path: Path, library: Library) -> None:
    rows = tables.read(path.with_name("case.csv"))
    records = across.records(compared(tables.with_facing_posts(library), *rows), across.rules(library))
    assert [*records] == [
        "reports/across.json",
        *(
            f"reports/mirror/{kind}.{end}"
            for kind in ("flows", "stocks", "remittances", "border_posts")
            for end in ("csv", "json")
        ),
    ]
    for name, content in records.items():
        if name.endswith(".json"):
            schema = ROOT / "site/assets" / ("mirror.schema.json" if "mirror" in name else "across.schema.json")
            jsonschema_rs.validator_for(json.loads(schema.read_text(encoding="utf-8"))).validate(json.loads(content))
    told = json.loads(records["reports/across.json"])
    mine = [rule for rule in told["rules"] if rule["rule"] == path.parent.name]
    assert all(rule["warnings"] + rule["notes"] <= rule["compared"] for rule in told["rules"])
    assert not mine or sum(rule["warnings"] + rule["notes"] for rule in mine) == 1


def test_the_table_for_machines_has_the_figures(library: Library) -> None:
    found = compared(library, emigrants("CL", "AR", 1000), residents("AR", "CL", 3000, SOURCE_TYPE="ADM_REG"))
    table = across.records(found, across.rules(library))["reports/mirror/stocks.csv"].decode().splitlines()
    assert table[0].startswith("severity,origin,destination,place,sex,frequency,unit,origin_period,destination_period,")
    assert table[1].startswith("W,CL,AR,,_T,A,PERS,2020,2020,1000,3000,3,1,compared,,SOURCE_TYPE")
    assert len(table) == 2
