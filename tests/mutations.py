"""A valid table of each dataflow, and one way to break each rule in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import tables

from pipeline.framework import Dataflow
from pipeline.model import Library
from pipeline.validate import validate, validate_release

Row = dict[str, str]
Example = dict[str, Row]  # name of the row → what it says
Change = Mapping[str, Row]  # name of a row → what changes; "+name" adds a copy so changed, "*" is every row

HIERARCHIES = ("HCL_AGE_BROAD",)
NOTE = "ACC-00"  # a line that cannot be added up is in every example, and is told
_SERIES = {"2004": 950, "2005": 960, "2006": 970, "2007": 985, "2008": 990, "2009": 995, "2010": 998}
_PARTS: Mapping[str, Mapping[str, Mapping[str, int]]] = {  # component → code that the good row has → other codes
    "SEX": {"_T": {"F": 510, "M": 490}},
    "AGE": {"_T": {"Y0T14": 200, "Y15T24": 150, "Y25T44": 300, "Y45T64": 250, "Y_GE65": 100}},
    "COUNTRY_BIRTH": {"_T": {"NAT": 900, "FOR": 100, "NA": 60, "NO": 40}},
    "CITIZENSHIP": {"_T": {"NAT": 900, "FOR": 100, "NA": 60, "NO": 40}},
    "COUNTERPART_AREA": {"_T": {"AR": 600, "PE": 400}},
    "DURATION": {"_T": {"M_LT3": 100, "M3T11": 300, "M_GE12": 600}},
    "REASON": {"_T": {"WORK": 550, "FAM": 450}},
    "LEGAL_STATUS": {"_T": {"RES": 1000, "PERM": 600, "TEMP": 400}, "REF": {"PROT": 1500, "ASY": 500}},
    "ADM_EVENT": {"ISS_ANY": {"ISS_FIRST": 600, "ISS_REN": 400}},
    "EDUCATION_LEV": {"_T": {"AGG_0T2": 550, "AGG_3T4": 450}},
    "LABOUR_STATUS": {"_T": {"LF": 800, "OLF": 200, "EMP": 700, "UNE": 100, "EMP_INF": 300}},
    "OCCUPATION": {"_T": {"ISCO08_1": 550, "ISCO08_2": 450}},
    "TRANSPORT_MODE": {"_T": {"AIR": 550, "LAND": 450}},
    "MIG_MEASURE": {"FLW_IN": {"FLW_OUT": 400, "FLW_NET": 600}, "CRS_IN": {"CRS_OUT": 400, "CRS_BAL": 600}},
}
_PENDING = {"PEND": 650, "APPL": 300, "GRANT": 100, "REJ": 50, "CLOSE": 20}
_PRECISE = {"CV": "0.1", "SE": "100", "N_OBS": "120", "RELIABILITY": "R", "SOURCE_TYPE": "SUR_HH"}
_COUNTRIES = ("PE", "BO", "CN", "US")
_OTHER_AREA, _THIRD_AREA = "CL-RM", "CL-AP"

MUTATIONS: tuple[tuple[str, Change], ...] = (
    ("STR-02", {"spare": {"REF_AREA": ""}}),
    ("STR-03", {"spare": {"CONF_STATUS": "?"}}),
    ("STR-04", {"spare": {"FREQ": "D"}}),
    ("STR-05", {"+spare": {}}),
    ("STR-06", {"spare": {"UNIT_MULT": ""}}),
    ("STR-06", {"spare": {"RES_CRITERION": ""}}),
    ("STR-06", {"spare": {"SOURCE_TYPE": "ADM_BRD", "METHOD": ""}}),
    ("STR-07", {"spare": {"TIME_PERIOD": "1990-Q1"}}),
    ("STR-07", {"spare": {"TIME_PERIOD": "2999"}}),
    ("STR-08", {"spare": {"OBS_VALUE": "many", "OBS_STATUS": "O"}}),
    ("STR-09", {"survey": {"CV": ""}}),
    ("STR-09", {"spare": {"REF_DATE": ""}}),
    ("STR-10", {"spare": {"REF_AREA": "AR"}}),
    ("DOM-05", {"spare": {"CITIZENSHIP": "CL"}}),
    ("DOM-05", {"spare": {"COUNTRY_BIRTH": "CL"}}),
    ("DOM-06", {"spare": {"COUNTERPART_AREA": "CL"}}),
    ("DOM-06", {"spare": {"COUNTERPART_AREA": "NAT"}}),
    ("DOM-07", {"spare": {"COUNTRY_BIRTH": "STLS"}}),
    ("DOM-07", {"spare": {"COUNTERPART_AREA": "STLS"}}),
    ("DOM-10", {"spare": {"OBS_VALUE": "-1000"}}),
    ("DOM-11", {"spare": {"OBS_VALUE": "950.5"}}),
    ("DOM-20", {"spare": {"OBS_VALUE": ""}}),
    ("DOM-21", {"spare": {"OBS_VALUE": "", "OBS_STATUS": "Q"}}),
    ("DOM-22", {"spare": {"CONF_STATUS": "C"}}),
    ("DOM-23", {"spare": {"CONF_STATUS": "E"}}),
    ("DOM-30", {"share": {"OBS_VALUE": "120"}}),
    ("DOM-31", {"spare": {"INDICATOR": "I05", "OBS_VALUE": "1200"}}),
    ("DOM-40", {"spare": {"SOURCE_TYPE": "NTS_MOB"}}),
    ("DOM-41", {"*": {"UNIT_MEASURE": "IX"}}),
    ("DOM-42", {"spare": {"AGE": "Y10T14"}}),
    ("DOM-43", {"*": {"RES_CRITERION": "M12"}}),
    ("DOM-44", {"spare": {"UNIT_MULT": "3"}}),
    ("ACC-01", {"SEX F": {"OBS_VALUE": "400"}}),
    ("ACC-02", {"AGE Y_GE65": {"OBS_VALUE": "101"}}),
    ("ACC-03", {"COUNTRY_BIRTH NAT": {"OBS_VALUE": "800"}}),
    ("ACC-04", {"CITIZENSHIP NAT": {"OBS_VALUE": "800"}}),
    ("ACC-05", {"COUNTRY_BIRTH NO": {"OBS_VALUE": "90"}}),
    ("ACC-05", {"CITIZENSHIP NO": {"OBS_VALUE": "30"}}),
    ("ACC-05", {"COUNTERPART_AREA PE": {"OBS_VALUE": "500"}}),
    ("ACC-06", {f"REF_AREA {_OTHER_AREA}": {"OBS_VALUE": "900"}}),
    *(
        ("ACC-07", {f"{component} {code}": {"OBS_VALUE": "370"}})
        for component, code in (
            ("DURATION", "M3T11"),
            ("REASON", "WORK"),
            ("LEGAL_STATUS", "TEMP"),
            ("LEGAL_STATUS", "ASY"),
            ("ADM_EVENT", "ISS_REN"),
            ("EDUCATION_LEV", "AGG_0T2"),
            ("LABOUR_STATUS", "UNE"),
            ("OCCUPATION", "ISCO08_1"),
            ("TRANSPORT_MODE", "AIR"),
        )
    ),
    ("ACC-08", {"MIG_MEASURE FLW_NET": {"OBS_VALUE": "-600"}}),
    ("ACC-08", {"MIG_MEASURE CRS_BAL": {"OBS_VALUE": "-600"}}),
    ("ACC-09", {"quarter 4": {"OBS_VALUE": "251"}}),
    ("ACC-13", {"ADM_EVENT PEND": {"OBS_VALUE": "651"}}),
    ("ACC-14", {"open CITIZENSHIP FOR": {"OBS_VALUE": "1200"}}),
    ("ACC-14", {"open COUNTRY_BIRTH FOR": {"OBS_VALUE": "1200"}}),
    ("ACC-14", {"LABOUR_STATUS EMP_INF": {"OBS_VALUE": "701"}}),
    ("TSO-01", {"next year": {"OBS_VALUE": "2100"}}),
    ("TSO-02", {"series 2007": {"OBS_VALUE": "1300"}}),
    ("TSO-03", {"other source": {"OBS_VALUE": "1400"}}),
    ("TSO-04", {f"series {year}": {"OBS_VALUE": "960"} for year in ("2006", "2007")}),
    ("TSO-05", {}),  # see `broken`
    (
        "TSO-06",
        {
            f"sexes 1987 {country} {sex}": {"OBS_VALUE": str(value)}
            for country in _COUNTRIES
            for sex, value in (("M", 605), ("F", 404))
        },
    ),
    ("PLA-02", {"group M": {"OBS_VALUE": "2000"}}),
    (
        "PLA-03",
        {"ages Y0T14": {"OBS_VALUE": "600"}, "ages Y25T44": {"OBS_VALUE": "100"}, "ages Y45T64": {"OBS_VALUE": "50"}},
    ),
    ("PLA-04", {"spare": {"INDICATOR": "I06", "OBS_VALUE": "51"}}),
    ("SUR-01", {"survey": {"CV": "0.25", "SE": "250"}}),
    ("SUR-01", {"survey": {"N_OBS": "40"}}),
    ("SUR-02", {"survey": {"RELIABILITY": "N"}}),
    ("SUR-02", {"survey": {"RELIABILITY": "N", "OBS_STATUS": "U"}}),
    ("SUR-03", {"survey": {"SE": "150"}}),
    ("SUR-03", {"survey": {"CV": "-0.1", "SE": ""}}),
    ("CNF-01", {"spare": {"OBS_VALUE": "2"}}),
    ("CNF-02", {"SEX F": {"OBS_VALUE": "", "OBS_STATUS": "Q", "CONF_STATUS": "D"}}),
    ("CNF-03", {"spare": {"CITIZENSHIP": "VE", "AGE": "Y5T9"}}),
)


def example(flow: Dataflow, library: Library, *, has_many: bool = False) -> Example:
    """The valid table, with as many of the rows that the rules need as the dataflow allows."""
    good: Example = {"total": {}}
    if is_count(flow):
        good |= _parts(flow) | _open(flow) | _pending(flow) | _areas(library) | _quarters(flow) | _groups(flow)
        good |= _sexes(flow)
    good |= {f"series {year}": {"TIME_PERIOD": year, "OBS_VALUE": str(value)} for year, value in _SERIES.items()}
    good |= {
        name: {"REF_AREA": _OTHER_AREA, "TIME_PERIOD": year} for name, year in (("year", "1996"), ("next year", "1997"))
    }
    good["next year"]["OBS_VALUE"] = "1020"
    good |= {"spare": {"REF_AREA": _THIRD_AREA, "TIME_PERIOD": "1990"}} | _spliced() | _precise() | _shares(flow)
    if has_many:
        good |= _many(flow, library)
    base = {"OBS_VALUE": "1000"} | ({"INDICATOR": "I12"} if flow.id == "DF_INDIC" else {})  # a ratio has no bounds
    return {name: {**base, **row} for name, row in good.items() if fits(row, flow)}


def is_count(flow: Dataflow) -> bool:
    units = flow.structure.components["UNIT_MEASURE"].codelist
    assert units is not None
    return str(tables._full({}, flow)["UNIT_MEASURE"]) in units.select("count=yes")


def fits(row: Row, flow: Dataflow) -> bool:
    """Whether the row is allowed in the dataflow and names no component that it does not have."""
    full = tables._full(row, flow)
    is_known = row.keys() <= flow.structure.components.keys()
    return is_known and any(all(full[c] in codes for c, codes in region.items()) for region in flow.regions)


def broken(good: Example, change: Change, rule: str) -> Example | None:
    """The example with the change; None where it has not the rows for it."""
    if rule == "TSO-05":
        many = {name: {**row, "OBS_VALUE": row["OBS_VALUE"][:-1] + "0"} for name, row in good.items() if "many" in name}
        return {**good, **many} if many else None
    if "*" in change:
        return {name: {**row, **change["*"]} for name, row in good.items()}
    if any(name.lstrip("+") not in good for name in change):
        return None
    return {**good, **{name: {**good[name.lstrip("+")], **said} for name, said in change.items()}}


def applicable(flow: Dataflow, library: Library) -> Iterator[tuple[str, Example, Example]]:
    """Every injection that the dataflow can have: the rule, the valid example and the broken one."""
    rules = {rule.id for rule in flow.rules}
    small, large = (example(flow, library, has_many=has_many) for has_many in (False, True))
    for rule, change in MUTATIONS:
        good = large if rule == "TSO-05" else small
        wrong = broken(good, change, rule) if rule in rules else None
        if wrong is None or any(not said.keys() <= flow.structure.components.keys() for said in change.values()):
            continue
        if _is_meant(rule, change, flow) and (rule.startswith("STR") or all(fits(row, flow) for row in wrong.values())):
            yield rule, good, wrong


def codes(rows: Example, flow: Dataflow, library: Library, *, is_release: bool) -> set[str]:
    """The codes that the stage finds, without the note on lines that cannot be added up."""
    if is_release:
        report = validate_release(tables.protected(rows.values(), flow), library, day=tables.DAY)
    else:
        received = tables.observations(rows.values(), flow, hierarchies=HIERARCHIES)
        report = validate(received, library, day=tables.DAY)
    return {issue.code for issue in report.issues} - {NOTE}


def chile(library: Library) -> Library:
    """Chile with an agreement for every dataflow."""
    made = tables.with_chile(library)
    agreed = frozenset(("CL_INE", flow) for flow in made.dataflows)
    return replace(made, countries={"CL": replace(made.countries["CL"], agreements=agreed)})


def confusion(library: Library) -> dict[str, dict[str, int]]:
    """Rule broken → code found → number of injections, over all dataflows; `-` where nothing is found."""
    table: dict[str, dict[str, int]] = {}
    for flow in library.dataflows.values():
        for rule, _, wrong in applicable(flow, library):
            for code in codes(wrong, flow, library, is_release=is_release(rule, flow)) or {"-"}:
                counts = table.setdefault(rule, {})
                counts[code] = counts.get(code, 0) + 1
    return table


def is_release(rule: str, flow: Dataflow) -> bool:
    return any(each.id == rule and each.stage == "release" for each in flow.rules)


def _is_meant(rule: str, change: Change, flow: Dataflow) -> bool:
    """Whether the rule asks anything of the measure and unit of the example's rows."""
    measure = str(tables._full({}, flow).get("MIG_MEASURE", ""))
    said = {component for row in change.values() for component in row}
    is_resident = measure == "STK_POP" or measure.startswith("FLW_")
    return {
        "DOM-10": is_count(flow),
        "DOM-11": is_count(flow),
        "DOM-41": flow.structure.measure_dimension != "CAP_ITEM",
        "CNF-01": is_count(flow) and flow.protection.method != "none",
        "CNF-02": is_count(flow) and flow.protection.method != "none",
        "CNF-03": bool(flow.protection.forbidden),
        "STR-06": ("RES_CRITERION" not in said or is_resident) and ("METHOD" not in said or measure.startswith("FLW_")),
        "STR-09": "REF_DATE" not in said or measure.startswith("STK_"),
    }.get(rule, True)


def _parts(flow: Dataflow) -> Example:
    full = tables._full({}, flow)
    found: Example = {}
    for component, by_code in _PARTS.items():
        for code, value in by_code.get(str(full.get(component, "")), {}).items():
            found[f"{component} {code}"] = {component: code, "OBS_VALUE": str(value)}
    return found


def _open(flow: Dataflow) -> Example:
    """A total with a part that has no value and one that has."""
    found: Example = {}
    for component, year in (("CITIZENSHIP", "1985"), ("COUNTRY_BIRTH", "1980")):
        rows = {code: {component: code, "TIME_PERIOD": year} for code in ("_T", "NAT", "FOR")}
        rows["NAT"] |= {"OBS_VALUE": "", "OBS_STATUS": "L"}
        rows["FOR"] |= {"OBS_VALUE": "100"}
        if all(fits(row, flow) for row in rows.values()):
            found |= {f"open {component} {code}": row for code, row in rows.items()}
    return found


def _pending(flow: Dataflow) -> Example:
    if flow.id != "DF_REFUGEE":
        return {}
    row = {"MIG_MEASURE": "FLW_ASY", "LEGAL_STATUS": "ASY"}
    rows = {f"ADM_EVENT {code}": {**row, "ADM_EVENT": code, "OBS_VALUE": str(v)} for code, v in _PENDING.items()}
    return rows | {"before": {**row, "ADM_EVENT": "PEND", "TIME_PERIOD": "2016", "OBS_VALUE": "520"}}


def _areas(library: Library) -> Example:
    areas = library.list_of("REF_AREA")
    assert areas is not None
    every = [code for code in areas.children["CL"] if not code.endswith("_U")]
    rest = 1000 - 50 * (len(every) - 1)
    values = {code: 50 if code != every[0] else rest for code in every}
    return {f"REF_AREA {code}": {"REF_AREA": code, "OBS_VALUE": str(value)} for code, value in values.items()}


def _quarters(flow: Dataflow) -> Example:
    measure = str(tables._full({}, flow).get("MIG_MEASURE", ""))
    if not measure.startswith(("FLW", "CRS")):
        return {}
    return {
        f"quarter {q}": {"FREQ": "Q", "TIME_PERIOD": f"2017-Q{q}", "OBS_VALUE": str(value)}
        for q, value in ((1, 230), (2, 250), (3, 270), (4, 250))
    }


def _groups(flow: Dataflow) -> Example:
    """Men and women, and the ages of those who come, in an area of their own."""
    if flow.id not in ("DF_STOCK", "DF_FLOW"):
        return {}
    here = {"REF_AREA": "CL-TA", "TIME_PERIOD": "2000"}
    found = {f"group {sex}": {**here, "SEX": sex, "OBS_VALUE": value} for sex, value in (("F", "600"), ("M", "500"))}
    if flow.id == "DF_FLOW":
        ages = {"_T": 1000, **_PARTS["AGE"]["_T"]}
        found |= {f"ages {a}": {**here, "TIME_PERIOD": "1998", "AGE": a, "OBS_VALUE": str(v)} for a, v in ages.items()}
    return found


def _sexes(flow: Dataflow) -> Example:
    """Four countries in two years, six women for four men."""
    return {
        f"sexes {year} {country} {sex}": {"TIME_PERIOD": year, "CITIZENSHIP": country, "SEX": sex, "OBS_VALUE": str(n)}
        for year, more in (("1986", 0), ("1987", 5))
        for country in _COUNTRIES
        for sex, n in (("M", 400 + more), ("F", 600 + more))
        if fits({"CITIZENSHIP": country, "SEX": sex}, flow)
    }


def _spliced() -> Example:
    here = {"REF_AREA": _OTHER_AREA}
    other = {"SOURCE_TYPE": "ORG", "SOURCE_OPERATION": "Another", "OBS_VALUE": "1010"}
    return {
        "one source": {**here, "TIME_PERIOD": "1991"},
        "other source": {**here, "TIME_PERIOD": "1992", **other},
    }


def _precise() -> Example:
    return {"survey": {"REF_AREA": _THIRD_AREA, "TIME_PERIOD": "1995", **_PRECISE}}


def _shares(flow: Dataflow) -> Example:
    measure = {"DF_SOCIO": "SHR", "DF_RIGHTS": "VIC_PREV", "DF_REMIT": "REM_PRC", "DF_INDIC": "I01"}.get(flow.id)
    if measure is None:
        return {}
    return {"share": {flow.structure.measure_dimension: measure, "TIME_PERIOD": "1990", "OBS_VALUE": "50"}}


def _many(flow: Dataflow, library: Library) -> Example:
    if not is_count(flow):
        return {}
    for component in ("CITIZENSHIP", "COUNTERPART_AREA"):
        codelist = library.list_of(component)
        assert codelist is not None
        countries = sorted(codelist.select("kind=country") - {"CL"})[:210]
        rows = {
            f"many {code}": {component: code, "TIME_PERIOD": "1970", "OBS_VALUE": str(1001 + 10 * number + number % 4)}
            for number, code in enumerate(countries)
        }
        if all(fits(row, flow) for row in rows.values()):
            return rows
    return {}
