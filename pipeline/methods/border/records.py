"""One record of the delivery, made standard in one expression that every engine understands.

Text becomes days and whole numbers, and `aside` says why a record has no part in the rule. Nothing is dropped here:
what cannot be used is told by its number and counted by `received`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

REQUIRED = ("person_id", "crossing_id", "ts", "is_arrival", "citizenship", "sex", "birth_date", "purpose")
OPTIONAL = ("post", "mode", "counterpart", "traveller_type")
ATTRIBUTES = ("citizenship", "sex", "purpose", "counterpart", "mode", "traveller_type")  # coded, and in tables
IN_RULE, TRAVELLER, POST, KEY, DIRECTION, MOMENT, PERSON, MANY, TWICE = range(9)  # why a record is set aside
ASIDE = {
    TRAVELLER: "traveller_type",
    POST: "uncontrolled_post",
    KEY: "no_key",
    DIRECTION: "direction",
    MOMENT: "moment",
    PERSON: "person_in_error",
    MANY: "too_many_crossings",
    TWICE: "given_twice",
}
OUTSIDE_THE_RULE = ("CREW", "XBW", "DIPL")  # crew, border workers, diplomats and military (framework §9.4)
ZONED = r":\d\d(\.\d+)?\s*([zZ]|[+-]\d\d(:?\d\d)?)$"


@dataclass(frozen=True)
class Reading:
    """How the records of a delivery are read: its columns with their types, and what the office has declared.

    `uncontrolled` are posts without control of each person; `time_zone` is that of the country, where the moments
    of the delivery carry a zone. `has_*` tell which tables stand beside the records, by person.
    """

    columns: Mapping[str, str]
    obs_end: str
    is_loose: bool = False  # as text files are: words with blanks around them
    uncontrolled: Collection[str] = ()
    time_zone: str = ""
    has_initial: bool = False
    has_deaths: bool = False
    has_links: bool = False


_WHOLE = ("BIGINT", "INTEGER", "INT", "SMALLINT", "TINYINT")


def is_text(kind: str) -> bool:
    """Whether a column came as text."""
    return kind.upper() in ("VARCHAR", "STRING")


def standard(reading: Reading, *, person_key: str) -> str:
    """The SELECT over `crossings`: person, order, day, direction, attributes and `aside`.

    Records after the end of observation have no part in it: as of that day they have not happened.
    """
    aside = f"""CASE
        WHEN raw.direction IS NULL THEN {DIRECTION}
        WHEN raw.moment IS NULL THEN {MOMENT}
        WHEN raw.person_id IS NULL THEN {KEY}
        WHEN raw.traveller_type IN ({_listed(OUTSIDE_THE_RULE)}) THEN {TRAVELLER}
        {f"WHEN raw.post IN ({_listed(reading.uncontrolled)}) THEN {POST}" if reading.uncontrolled else ""}
        ELSE {IN_RULE} END"""
    initial = "CASE initial.initial_status WHEN 'R' THEN 1 WHEN 'N' THEN 0 ELSE -1 END" if reading.has_initial else "-1"
    person = "COALESCE(links.same_as, raw.person_id)" if reading.has_links else "raw.person_id"
    joins = "".join(
        f" LEFT JOIN {name} ON {name}.person_id = raw.person_id"
        for name, is_there in (
            ("initial", reading.has_initial),
            ("deaths", reading.has_deaths),
            ("links", reading.has_links),
        )
        if is_there
    )
    return f"""
        SELECT {person_key.format(person=person)} AS person_id, raw.crossing_id, raw.moment AS ts,
            unix_date(CAST(raw.moment AS DATE)) AS day, COALESCE(raw.direction, 0) = 1 AS is_arrival,
            CAST({aside} AS TINYINT) AS aside, CAST({initial} AS TINYINT) AS initial,
            {"unix_date(deaths.death)" if reading.has_deaths else "CAST(NULL AS INTEGER)"} AS last_day,
            CASE WHEN raw.birth <= CAST(raw.moment AS DATE) THEN unix_date(raw.birth) END AS birth,
            {", ".join(f"raw.{name}" for name in ATTRIBUTES)}
        FROM ({fields(reading)}) AS raw{joins}
        WHERE raw.moment IS NULL OR CAST(raw.moment AS DATE) <= DATE '{reading.obs_end}'
    """


def fields(reading: Reading) -> str:
    """The SELECT over `crossings` that reads each field for what it is, NULL where it cannot be."""
    words = ", ".join(
        f"{word(reading, name)} AS {name}" if name in reading.columns else f"CAST(NULL AS STRING) AS {name}"
        for name in (*ATTRIBUTES, "post")
    )
    return f"""
        SELECT {word(reading, "person_id")} AS person_id, {whole(reading, "crossing_id")} AS crossing_id,
            {moment(reading)} AS moment, {direction(reading)} AS direction,
            {day(reading, "birth_date")} AS birth, {words}
        FROM crossings
    """


def word(reading: Reading, name: str) -> str:
    """A word, NULL where it is blank."""
    if not is_text(reading.columns[name]):
        return f"CAST({name} AS STRING)"
    return f"NULLIF(TRIM({name}), '')" if reading.is_loose else f"NULLIF({name}, '')"


def whole(reading: Reading, name: str) -> str:
    """A whole number."""
    return name if reading.columns[name].upper() in _WHOLE else f"TRY_CAST({name} AS BIGINT)"


def day(reading: Reading, name: str) -> str:
    """A day."""
    return name if reading.columns[name].upper() == "DATE" else f"TRY_CAST({name} AS DATE)"


def direction(reading: Reading) -> str:
    """1 in, 0 out, NULL what is neither."""
    kind = reading.columns["is_arrival"].upper()
    if kind == "BOOLEAN":
        return "CAST(is_arrival AS INTEGER)"
    if is_text(kind):
        return "CASE TRIM(is_arrival) WHEN '1' THEN 1 WHEN '0' THEN 0 END"
    return "CASE is_arrival WHEN 1 THEN 1 WHEN 0 THEN 0 END"


def moment(reading: Reading) -> str:
    """The local civil moment of a crossing."""
    if reading.time_zone:
        return f"from_utc_timestamp(TRY_CAST(ts AS TIMESTAMP), '{reading.time_zone}')"
    return "ts" if reading.columns["ts"].upper().startswith("TIMESTAMP") else "TRY_CAST(ts AS TIMESTAMP)"


def quoted(word: str) -> str:
    """A word as SQL writes it."""
    return "'" + word.replace("'", "''") + "'"


def _listed(words: Collection[str]) -> str:
    return ", ".join(map(quoted, sorted(words)))
