"""`python -m pipeline border`: the exchange format against plain Python, and what becomes of bad records."""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import border_oracle as oracle
import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from pipeline.__main__ import main
from pipeline.errors import InputError, SetupError
from pipeline.methods.border import Asked, Made, border, coded, embedded, received, synthetic
from pipeline.methods.border.days import day_number, day_text
from pipeline.model import Library

ROOT = Path(__file__).parents[1]
END = "2022-12-31"
HEAD = ("person_id", "crossing_id", "ts", "is_arrival", "citizenship", "sex", "birth_date", "purpose")
Row = Mapping[str, object]


def deliver(folder: Path, rows: Iterable[Row], *, name: str = "crossings.csv") -> Path:
    """Rows as a delivery; what a row does not say is taken from a good one."""
    good = {"citizenship": "PE", "sex": "F", "birth_date": "1990-03-01", "purpose": "WORK", "is_arrival": 1}
    full = [{**good, "crossing_id": number, **row} for number, row in enumerate(rows, 1)]
    names = [*HEAD, *sorted({each for row in full for each in row} - set(HEAD))]
    path = folder / name
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, restval="")
        writer.writeheader()
        writer.writerows(full)
    return path


def run(path: Path, **options: Any) -> Made:
    return border(Asked(path, path.parent / "out", **{"obs_end": END, **options}))


def table(path: Path, name: str) -> list[dict[str, str]]:
    with (path.parent / "out" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def codes(made: Made) -> dict[str, int]:
    return {issue.code: issue.count for issue in made.issues}


def crossing(person: str, day: str, is_arrival: int, **rest: object) -> Row:
    return {"person_id": person, "ts": f"{day} 12:00:00", "is_arrival": is_arrival, **rest}


@pytest.fixture(scope="module")
def records() -> list[dict[str, Any]]:
    """Synthetic crossings of 1,500 people, in no order."""
    (made,) = synthetic.crossings(1500, seed=5, start="2017-01-01", end=END)
    rows = made.drop_columns(["traveller_type"]).to_pylist()
    return [rows[place] for place in np.random.default_rng(1).permutation(len(rows))]


def expected(rows: Sequence[Mapping[str, Any]], *, threshold: int = 365, window: int = 487) -> list[dict[str, str]]:
    """The events file that the plain rule gives."""
    persons: dict[str, list[Mapping[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: (row["person_id"], row["ts"], row["crossing_id"])):
        persons.setdefault(row["person_id"], []).append(row)
    found = []
    for person, own in persons.items():
        days = [((row["ts"].date() - dt.date(1970, 1, 1)).days, int(row["is_arrival"])) for row in own]
        for e in oracle.events(days, threshold=threshold, window=window, end=day_number(END)):
            record = own[(e.seq + 1) // 2 - 1]
            found.append(
                {
                    "person_id": person,
                    "seq": str(e.seq),
                    "crossing_id": "" if e.is_imputed else str(record["crossing_id"]),
                    "day": day_text(e.day),
                    "is_arrival": str(e.direction),
                    "is_imputed": str(int(e.is_imputed)),
                    "obs_days": str(e.obs_days),
                    "side_days": str(e.side_days),
                    "outcome": e.outcome,
                    "status_before": e.before,
                    "status_after": e.after,
                    "migrant": e.migrant,
                    "category": e.category,
                    "record": record,
                }
            )
    return found


def age_on(day: dt.date, born: dt.date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def flows_expected(events: Sequence[Mapping[str, Any]]) -> dict[tuple[str, ...], tuple[int, int, int]]:
    found: Counter[tuple[tuple[str, ...], str]] = Counter()
    for e in events:
        if e["migrant"] == "0":
            continue
        day, record = dt.date.fromisoformat(e["day"]), e["record"]
        key = (e["day"][:7], "AD"[e["is_arrival"] == "0"], record["citizenship"], record["sex"])
        key = (*key, str(age_on(day, record["birth_date"])), record["purpose"])
        found[key, "migrants"] += e["migrant"] == "1"
        found[key, "pending"] += e["migrant"] == ""
        found[key, "imputed"] += e["migrant"] == "1" and e["is_imputed"] == "1"
    return {key: tuple(found[key, name] for name in ("migrants", "pending", "imputed")) for key, _ in found}  # type: ignore[misc]


def stocks_expected(events: Sequence[Mapping[str, Any]], years: Iterable[int]) -> Counter[tuple[str, ...]]:
    populations = {
        ("R", "1"): "resident_present",
        ("R", "0"): "resident_abroad",
        ("N", "1"): "visitor_present",
        ("?", "1"): "open_present",
        ("?", "0"): "open_abroad",
    }
    found: Counter[tuple[str, ...]] = Counter()
    for year in years:
        day = dt.date(year, 12, 31)
        last = {e["person_id"]: e for e in events if e["day"] <= day.isoformat()}
        for e in last.values():
            if population := populations.get((e["status_after"], e["is_arrival"])):
                record = e["record"]
                age = str(age_on(day, record["birth_date"]))
                found[(day.isoformat(), population, record["citizenship"], record["sex"], age)] += 1
    return found


@pytest.mark.parametrize("rule", [(365, 487), (365, 365), (274, 365), (183, 365)])
def test_events_flows_and_stocks_are_those_of_the_oracle(
    records: list[dict[str, Any]], rule: tuple[int, int], tmp_path: Path
) -> None:
    path = deliver(tmp_path, records)
    made = run(path, threshold_days=rule[0], window_days=rule[1])
    assert made.is_fit
    events = expected(records, threshold=rule[0], window=rule[1])
    assert table(path, "events.csv") == [{k: v for k, v in e.items() if k != "record"} for e in events]
    flows = {
        (row["month"], row["direction"], row["citizenship"], row["sex"], row["age"], row["purpose"]): (
            int(row["migrants"]),
            int(row["pending"]),
            int(row["imputed_migrants"]),
        )
        for row in table(path, "flows.csv")
    }
    assert flows == flows_expected(events)
    stocks = {
        (row["ref_date"], row["population"], row["citizenship"], row["sex"], row["age"]): int(row["persons"])
        for row in table(path, "stocks.csv")
    }
    assert stocks == stocks_expected(events, range(2017, 2023))


def test_a_part_may_end_anywhere(
    records: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = deliver(tmp_path, [row for row in records if row["person_id"] < "1"])
    run(path)
    whole = {each.name: each.read_bytes() for each in (tmp_path / "out").iterdir()}
    monkeypatch.setattr(embedded, "_ROWS_AT_ONCE", 11)
    run(path)
    assert {each.name: each.read_bytes() for each in (tmp_path / "out").iterdir()} == whole


def test_words_do_not_depend_on_how_they_are_carried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many words, words with signs of SQL, none: as a list, as a type of the engine, in one number and in many."""
    words = ["", "O'Higgins", "a,b", 'x"y', "\u202e", *(f"P{number}" for number in range(450))]
    rows = [
        {
            **crossing(f"p{number}", "2021-05-01", 1),
            "purpose": word,
            "crossing_id": number,
            "mode": "AIR" * (number % 2),
        }
        for number, word in enumerate(words)
    ]
    full = [{"citizenship": "PE", "sex": "F", "birth_date": "1990-03-01", **row} for row in rows]
    pq.write_table(pa.Table.from_pylist(full), tmp_path / "crossings.parquet")
    run(tmp_path / "crossings.parquet")
    flows = table(tmp_path / "crossings.parquet", "flows.csv")
    assert Counter(row["purpose"] for row in flows) == Counter(words)
    for name, value in (("_SHORT", 10_000), ("_SHORT", 0), ("_BITS", 9)):
        monkeypatch.setattr(coded, name, value)
        run(tmp_path / "crossings.parquet")
        assert table(tmp_path / "crossings.parquet", "flows.csv") == flows


def test_engines_do_not_spill_to_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of one would be those of the other: they have the same names."""
    folders: list[Path] = []
    engine = received.engine

    def noted(**options: Any) -> duckdb.DuckDBPyConnection:
        folders.append(options["folder"])
        return engine(**options)

    monkeypatch.setattr(received, "engine", noted)
    run(deliver(tmp_path, [crossing("a", "2021-05-01", 1)]))
    assert len(folders) == len(set(folders)) == 2


def test_parquet_csv_and_a_database_say_the_same(records: list[dict[str, Any]], tmp_path: Path) -> None:
    path = deliver(tmp_path, records)
    run(path)
    flows, stocks = table(path, "flows.csv"), table(path, "stocks.csv")
    events = pa_csv.read_csv(
        tmp_path / "out/events.csv", convert_options=pa_csv.ConvertOptions(strings_can_be_null=True)
    )
    pq.write_table(pa.Table.from_pylist(records), tmp_path / "crossings.parquet")
    with duckdb.connect(tmp_path / "register.duckdb") as register:
        register.read_parquet(str(tmp_path / "crossings.parquet")).create("crossings")
    for name in ("crossings.parquet", "register.duckdb"):
        run(tmp_path / name)
        assert table(path, "flows.csv") == flows
        assert table(path, "stocks.csv") == stocks
        as_parquet = pq.read_table(tmp_path / "out/events.parquet")
        for column in events.column_names:
            assert events[column].to_pylist() == as_parquet[column].to_pylist() or column in (
                "outcome",
                "status_before",
                "status_after",
            )
        assert as_parquet["outcome"].to_pylist() == events["outcome"].to_pylist()


def test_an_initial_status_is_kept_to(tmp_path: Path) -> None:
    path = deliver(tmp_path, [crossing("a", "2020-01-01", 1), crossing("b", "2020-01-01", 1)])
    status = tmp_path / "status.csv"
    status.write_text("person_id,initial_status\na,R\n")
    run(path, initial_status=status)
    assert [(e["person_id"], e["status_before"], e["category"]) for e in table(path, "events.csv")] == [
        ("a", "R", "resident_return"),
        ("b", "N", "migrant_arrival"),
    ]
    status.write_text("person_id,initial_status\na,X\n")
    with pytest.raises(InputError, match=r"status.csv: 1 values of initial_status are not R or N"):
        run(path, initial_status=status)
    status.write_text("person_id,initial_status\na,R\na,N\n")
    with pytest.raises(InputError, match="1 persons stand there twice"):
        run(path, initial_status=status)


def test_the_dead_stay_nowhere(tmp_path: Path) -> None:
    """Who dies before the threshold did not come to live; who dies after it is no resident at the end of the year."""
    rows = [crossing(person, "2020-01-01", 1) for person in ("early", "late", "alive")]
    deaths = tmp_path / "deaths.csv"
    deaths.write_text("person_id,death_date\nearly,2020-06-01\nlate,2021-06-01\n")
    path = deliver(tmp_path, rows)
    run(path, deaths=deaths)
    assert {e["person_id"]: e["migrant"] for e in table(path, "events.csv")} == {
        "early": "0",
        "late": "1",
        "alive": "1",
    }
    assert [(s["ref_date"], s["persons"]) for s in table(path, "stocks.csv")] == [
        ("2020-12-31", "2"),
        ("2021-12-31", "1"),
        ("2022-12-31", "1"),
    ]


def test_nobody_lives_to_a_hundred_and_ten(tmp_path: Path) -> None:
    path = deliver(tmp_path, [crossing("a", "2021-01-01", 1, birth_date="1912-06-01")])
    run(path)
    assert [(s["ref_date"], s["age"]) for s in table(path, "stocks.csv")] == [("2021-12-31", "109")]


def test_crossings_of_one_moment_go_by_their_number(tmp_path: Path) -> None:
    same = {"person_id": "a", "ts": "2020-01-01 12:00:00"}
    path = deliver(
        tmp_path, [{**same, "is_arrival": 0, "crossing_id": 10}, {**same, "is_arrival": 1, "crossing_id": 9}]
    )
    run(path)
    assert [(e["crossing_id"], e["is_arrival"], e["side_days"]) for e in table(path, "events.csv")] == [
        ("9", "1", "0"),
        ("10", "0", "487"),
    ]


# ---------------------------------------------------------------- what is not known yet, or never was


def test_what_is_not_decided_counts_as_past_crossings_alike_turned_out(tmp_path: Path) -> None:
    """Half of sixty arrivals of 2020 stayed; of ten in the last month none is decided."""
    rows = [crossing(f"past {number}", "2020-01-01", 1) for number in range(60)]
    rows += [crossing(f"past {number}", "2020-07-19", 0) for number in range(30)]
    rows += [crossing(f"new {number}", "2022-12-01", 1) for number in range(10)]
    path = deliver(tmp_path, rows)
    run(path)
    shown = [
        {name: row[name] for name in ("month", "migrants", "pending", "estimate", "status")}
        for row in table(path, "estimates.csv")
    ]
    assert shown == [
        {"month": "2020-01", "migrants": "30", "pending": "0", "estimate": "30", "status": "A"},
        {"month": "2022-12", "migrants": "0", "pending": "10", "estimate": "5", "status": "P"},
    ]
    assert table(path, "unresolved.csv")[-1]["unresolved_percent"] == "100"


def test_without_a_past_there_is_no_estimate(tmp_path: Path) -> None:
    path = deliver(tmp_path, [crossing("new", "2022-12-01", 1)])
    run(path)
    assert table(path, "estimates.csv")[0]["estimate"] == ""


def test_a_later_run_tells_what_it_revises(tmp_path: Path) -> None:
    rows = [crossing(f"past {number}", "2019-01-01", 1) for number in range(60)]
    rows += [crossing(f"past {number}", "2019-07-20", 0) for number in range(30)]
    rows += [crossing(f"new {number}", "2021-06-01", 1) for number in range(10)]
    path = deliver(tmp_path, rows)
    border(Asked(path, tmp_path / "first", "2021-06-30"))
    run(path, previous=tmp_path / "first")
    revised = {row["month"]: row for row in table(path, "revisions.csv")}
    assert revised["2019-01"]["change"] == "0"
    row = revised["2021-06"]
    assert (row["status_before"], row["estimate_before"], row["status"], row["estimate"]) == ("P", "5", "A", "10")
    quality = {row["measure"]: row["value"] for row in table(path, "quality.csv")}
    assert quality["mean_revision_percent"] == "12.50"  # 5 of 40


def test_two_documents_of_a_person_are_joined_where_nothing_else_fits(tmp_path: Path) -> None:
    rows = [crossing("old", "2021-01-01", 1), crossing("new", "2021-02-01", 0)]
    path = deliver(tmp_path, rows)
    run(path)
    assert [e["migrant"] for e in table(path, "events.csv")] == ["1", "1"]  # one left for good, one came to live
    run(path, link_documents=True)
    assert [(e["person_id"], e["migrant"]) for e in table(path, "events.csv")] == [("old", "0"), ("old", "0")]
    assert {row["measure"]: row["value"] for row in table(path, "quality.csv")}["documents_joined"] == "1"
    run(deliver(tmp_path, [*rows, crossing("other", "2021-03-01", 0)]), link_documents=True)
    assert {e["person_id"] for e in table(path, "events.csv")} == {"old", "new", "other"}


@pytest.mark.parametrize(
    ("place", "day"), [("midpoint", "2020-01-16"), ("earliest", "2020-01-01"), ("latest", "2020-01-31")]
)
def test_a_missing_exit_has_bounds(place: str, day: str, tmp_path: Path) -> None:
    path = deliver(tmp_path, [crossing("a", "2020-01-01", 1), crossing("a", "2020-01-31", 1)])
    run(path, imputed_at=place)
    missing = table(path, "events.csv")[1]
    assert (missing["seq"], missing["day"], missing["is_imputed"], missing["crossing_id"]) == ("3", day, "1", "")


def test_an_exit_missing_for_long_is_put_at_the_end_of_the_permitted_stay(tmp_path: Path) -> None:
    path = deliver(tmp_path, [crossing("a", "2020-01-01", 1), crossing("a", "2021-12-31", 1)])
    run(path, permitted_days=90)
    assert table(path, "events.csv")[1]["day"] == "2020-03-31"


# ---------------------------------------------------------------- bad records


def test_every_record_is_accounted_for(tmp_path: Path) -> None:
    rows: list[Row] = [
        crossing("a", "2022-01-01", 1),
        crossing("a", "2022-12-01", 0),
        crossing("b", "2022-01-01", 1),
        crossing("b", "2022-02-01", 7),
        {**crossing("c", "2022-01-01", 1), "ts": "yesterday"},
        crossing("", "2022-01-01", 1),
        crossing("d", "2032-01-01", 1),
        crossing("e", "2022-01-01", 1, crossing_id=5),
        crossing("e", "2022-01-01", 1, crossing_id=5),
        crossing("f", "2022-01-01", 1, traveller_type="CREW"),
        crossing("g", "2022-01-01", 1, post="RIVER"),
        crossing("h", "2022-01-01", 1, birth_date="30/02/1990"),
    ]
    path = deliver(tmp_path, rows)
    made = run(path, uncontrolled=["RIVER"])
    found = {"BRD-03": 1, "BRD-04": 1, "BRD-05": 1, "BRD-06": 1, "BRD-07": 1, "BRD-10": 1, "BRD-12": 2, "BRD-14": 1}
    assert {code: count for code, count in codes(made).items() if code != "BRD-11"} == found
    quality = {row["measure"]: row["value"] for row in table(path, "quality.csv")}
    aside = sum(int(value) for measure, value in quality.items() if measure.startswith("records_aside"))
    assert int(quality["records"]) == len(rows)
    assert len(table(path, "events.csv")) + aside + found["BRD-05"] == len(rows)
    assert int(quality["crossings"]) == len(rows) - 4  # neither without direction or moment, nor late, nor twice
    assert [e["person_id"] for e in table(path, "events.csv")] == ["a", "a", "e", "h"]
    assert [row["age"] for row in table(path, "flows.csv")].count("") == 1  # of the one whose birth is not known


def test_a_key_that_many_share_is_no_person(tmp_path: Path) -> None:
    moments = [(dt.date(2020, 1, 1) + dt.timedelta(day)).isoformat() for day in range(50)]
    rows = [crossing("UNKNOWN", day, number % 2) for number, day in enumerate(moments)]
    path = deliver(tmp_path, [*rows, crossing("a", "2022-12-20", 1)])
    made = run(path, most_crossings=49)
    assert codes(made) == {"BRD-07": 50}
    assert [e["person_id"] for e in table(path, "events.csv")] == ["a"]
    assert len(run(path, most_crossings=50).issues) == 0


def test_a_hundred_thousand_crossings_of_one_key_do_not_stall(tmp_path: Path) -> None:
    count = 100_000
    second = np.arange(count, dtype=np.int64) * 600 + day_number("2020-01-01") * 86_400
    made = pa.table(
        {
            "person_id": ["UNKNOWN"] * count,
            "crossing_id": np.arange(count),
            "ts": pa.array(second).cast(pa.timestamp("s")),
            "is_arrival": np.arange(count) % 2,
            **{name: [""] * count for name in ("citizenship", "sex", "birth_date", "purpose")},
        }
    )
    pq.write_table(made, tmp_path / "crossings.parquet")
    assert codes(run(tmp_path / "crossings.parquet"))["BRD-07"] == count
    assert codes(run(tmp_path / "crossings.parquet", most_crossings=count)).keys() == {"BRD-11"}


def test_records_without_a_key_do_not_pile_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_ROWS_AT_ONCE", 50)
    path = deliver(tmp_path, [crossing("", "2022-12-01", number % 2) for number in range(600)])
    seen: list[int] = []
    part = embedded.part
    monkeypatch.setattr(
        embedded, "part", lambda records, *rest, **more: (seen.append(len(records)), part(records, *rest, **more))[1]
    )
    assert codes(run(path)) == {"BRD-07": 600}
    assert max(seen) < 600


def test_moments_with_a_zone_are_refused_or_made_local(tmp_path: Path) -> None:
    path = deliver(tmp_path, [{"person_id": "a", "ts": "2022-12-20T03:00:00Z"}])
    made = run(path)
    assert not made.is_fit
    assert codes(made) == {"BRD-08": 1}
    assert not (tmp_path / "out/events.csv").exists()
    assert run(path, time_zone="America/Guayaquil").is_fit
    assert table(path, "events.csv")[0]["day"] == "2022-12-19"
    instants = pa.array([dt.datetime(2022, 12, 20, 3, tzinfo=dt.UTC)], pa.timestamp("us", tz="UTC"))
    rows = {**{name: [""] for name in HEAD}, "person_id": ["a"], "is_arrival": [1], "crossing_id": [1], "ts": instants}
    pq.write_table(pa.table(rows), tmp_path / "zoned.parquet")
    assert codes(run(tmp_path / "zoned.parquet")) == {"BRD-08": 1}
    assert run(tmp_path / "zoned.parquet", time_zone="America/Guayaquil").is_fit
    assert pq.read_table(tmp_path / "out/events.parquet")["day"].to_pylist() == [dt.date(2022, 12, 19)]


@pytest.mark.parametrize("column", HEAD)
def test_a_missing_column_is_named(
    column: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = deliver(tmp_path, [crossing("a", "2022-12-20", 1)])
    lines = [line.split(",") for line in path.read_text().splitlines()]
    place = lines[0].index(column)
    path.write_text("".join(",".join(line[:place] + line[place + 1 :]) + "\n" for line in lines))
    before = path.read_bytes()
    monkeypatch.setattr(
        "sys.argv", ["pipeline", "border", "--crossings", str(path), "--out", str(tmp_path / "out"), "--obs-end", END]
    )
    assert main() == 1
    told = capsys.readouterr().out
    assert "BRD-01" in told
    assert column in told
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "column", ["nombre", "apellido_paterno", "passport", "documento", "cedula", "full_name", "email"]
)
def test_what_names_people_is_refused(column: str, tmp_path: Path) -> None:
    made = run(deliver(tmp_path, [crossing("a", "2022-12-20", 1, **{column: "x"})]))
    assert codes(made) == {"BRD-02": 1}
    assert not made.files


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"PK\x03\x04 not a table", "crossings.parquet: not a table of crossings"),
        (b"", "crossings.parquet: not a table of crossings"),
    ],
)
def test_what_is_no_table_is_told_in_words(content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "crossings.parquet"
    path.write_bytes(content)
    with pytest.raises(InputError, match=told):
        run(path)
    with pytest.raises(InputError, match="there is no such file"):
        run(tmp_path / "none.csv")


@pytest.mark.parametrize(
    "options",
    [
        {"obs_end": "31/12/2022"},
        {"engine": "abacus"},
        {"threshold_days": 100, "window_days": 487},
        {"threshold_days": 0},
    ],
)
def test_options_that_are_none_are_refused(options: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(SetupError):
        run(deliver(tmp_path, [crossing("a", "2022-12-20", 1)]), **options)


def test_a_run_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = deliver(tmp_path, [crossing("a", "2022-12-20", 1)])
    run(path)
    before = {each.name: each.read_bytes() for each in (tmp_path / "out").iterdir()}

    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("pipeline.methods.border.written.stocks", fail)
    with pytest.raises(MemoryError):
        run(deliver(tmp_path, [crossing("b", "2022-12-20", 1)]))
    assert {each.name: each.read_bytes() for each in (tmp_path / "out").iterdir()} == before


def test_new_keys_are_other_at_each_run_and_change_no_figure(records: list[dict[str, Any]], tmp_path: Path) -> None:
    path = deliver(tmp_path, records)
    run(path)
    flows = table(path, "flows.csv")
    seen = [{row["person_id"] for row in table(path, "events.csv")}]
    for _ in range(2):
        run(path, new_keys=True)
        seen.append({row["person_id"] for row in table(path, "events.csv")})
        assert table(path, "flows.csv") == flows
    assert len(seen[0]) == len(seen[1]) == len(seen[2])
    assert not seen[0] & seen[1]
    assert not seen[1] & seen[2]


# ---------------------------------------------------------------- a register with columns of its own


def test_a_real_register_is_counted_and_its_limits_are_told(tmp_path: Path, library: Library) -> None:
    """INEC's sample of 2024: 314 entries and 686 exits of nobody who could be followed."""
    sample = ROOT.parent / "shared/data/national/ECU/esi_muestra_2024.csv"
    if not sample.exists():
        pytest.skip(f"{sample.name} is not there")
    layout = ROOT / "metadata/crossings/INEC_ESI.toml"
    made = border(Asked(sample, tmp_path / "out", "2024-12-31", layout=layout, area="EC", phrases=library.phrases))
    assert codes(made) == {"BRD-15": 2, "BRD-07": 1000}
    with (tmp_path / "out/national/DF_BORDER.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["CITIZENSHIP"] == row["TRANSPORT_MODE"] == "_T"]
    crossed = {
        measure: sum(
            int(row["OBS_VALUE"]) for row in rows if row["MIG_MEASURE"] == measure and row["TRAVELLER_TYPE"] == "_T"
        )
        for measure in ("CRS_IN", "CRS_OUT")
    }
    assert crossed == {"CRS_IN": 314, "CRS_OUT": 686}
    assert not (tmp_path / "out/national/DF_FLOW.csv").exists()


def test_a_register_that_leaves_a_column_open_is_refused(tmp_path: Path) -> None:
    layout = tmp_path / "register.toml"
    layout.write_text('absent = ["birth_date"]\n[columns]\nts = "when"\n')
    with pytest.raises(SetupError, match="neither described nor absent: person_id"):
        run(deliver(tmp_path, [crossing("a", "2022-12-20", 1)]), layout=layout)


# ---------------------------------------------------------------- the generator


def test_the_same_seed_gives_the_same_crossings() -> None:
    one, two, other = (pa.concat_tables(synthetic.crossings(3000, seed=seed)) for seed in (1, 1, 2))
    assert one.equals(two)
    assert not one.equals(other)


def test_synthetic_crossings_have_every_kind_of_trouble(tmp_path: Path) -> None:
    path = tmp_path / "crossings.parquet"
    rows = synthetic.write(path, 20_000, seed=3)
    assert rows == pq.read_metadata(path).num_rows
    made = run(path, obs_end="2024-12-31")
    categories = set(pq.read_table(tmp_path / "out/events.parquet")["category"].to_pylist())
    assert len(categories) == 10
    assert made.tables["persons"]["mended"][0].as_py() > 0
    assert codes(made).keys() == {"BRD-12"}
    months = Counter(day.month for day in pq.read_table(path)["ts"].to_pylist())
    assert months[1] > 1.15 * months[5]  # a season
