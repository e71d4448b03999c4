"""A person who enters with one document and leaves with another seems to be two: one who came to live, one who left.

Such a pair is joined where nothing else fits: of all persons of that birth date and sex, one alone entered and never
left, one alone left and never entered, and in that order (framework §9.4: unmatched pairs of opposite sign with equal
attributes).
"""

from __future__ import annotations

import duckdb

from pipeline.methods.border.records import Reading, fields

_LATER = 2**66  # moves a moment before everything that a crossing's number and direction say


def link(connection: duckdb.DuckDBPyConnection, reading: Reading) -> int:
    """Make the table `links` (person_id, same_as): the second key of a pair, and the first; the number of pairs.

    Moment, number and direction of a crossing are carried as one whole number, of which the engine keeps the least
    and the greatest on disk where memory does not hold them.
    """
    number = "COALESCE(crossing_id, 9223372036854775807)::HUGEINT + 9223372036854775808"
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE links AS
        WITH crossed AS (
            SELECT person_id, sex, birth, epoch_us(moment)::HUGEINT * {_LATER} + ({number}) * 2 + direction AS place
            FROM ({fields(reading)}) WHERE person_id IS NOT NULL AND moment IS NOT NULL AND direction IS NOT NULL
                AND CAST(moment AS DATE) <= DATE '{reading.obs_end}'
        ), persons AS (
            SELECT person_id, max(sex) AS sex, max(birth) AS birth, min(place) AS first, max(place) AS last
            FROM crossed GROUP BY person_id
        ), odd AS (
            SELECT *, last & 1 AS last_in, count(*) FILTER (last & 1 = 1) OVER alike AS entered,
                count(*) FILTER (last & 1 = 0) OVER alike AS left_
            FROM persons WHERE first & 1 = last & 1 AND birth IS NOT NULL AND sex <> ''
            WINDOW alike AS (PARTITION BY sex, birth)
        )
        SELECT b.person_id, a.person_id AS same_as
        FROM odd AS a JOIN odd AS b ON a.sex = b.sex AND a.birth = b.birth
        WHERE a.last_in = 1 AND b.last_in = 0 AND a.entered = 1 AND a.left_ = 1
            AND a.last // {_LATER} <= b.first // {_LATER}
    """)
    (pairs,) = connection.execute("SELECT count(*) FROM links").fetchall()
    return int(pairs[0])
