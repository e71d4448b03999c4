"""A person who enters with one document and leaves with another seems to be two: one who came to live, one who left.

Such a pair is joined where nothing else fits: of all persons of that birth date and sex, one alone entered and never
left, one alone left and never entered, and in that order (framework §9.4: unmatched pairs of opposite sign with equal
attributes).
"""

from __future__ import annotations

import duckdb

from pipeline.methods.border.records import Reading, fields


def link(connection: duckdb.DuckDBPyConnection, reading: Reading) -> int:
    """Make the table `links` (person_id, same_as): the second key of a pair, and the first; the number of pairs."""
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE links AS
        WITH persons AS (
            SELECT person_id, max(sex) AS sex, max(birth) AS birth, min(moment) AS first, max(moment) AS last,
                min_by(direction, (moment, crossing_id)) AS first_in,
                max_by(direction, (moment, crossing_id)) AS last_in
            FROM ({fields(reading)}) WHERE person_id IS NOT NULL AND moment IS NOT NULL AND direction IS NOT NULL
                AND CAST(moment AS DATE) <= DATE '{reading.obs_end}'
            GROUP BY person_id
        ), odd AS (
            SELECT *, count(*) FILTER (last_in = 1) OVER alike AS entered,
                count(*) FILTER (last_in = 0) OVER alike AS left_
            FROM persons WHERE first_in = last_in AND birth IS NOT NULL AND sex <> ''
            WINDOW alike AS (PARTITION BY sex, birth)
        )
        SELECT b.person_id, a.person_id AS same_as
        FROM odd AS a JOIN odd AS b ON a.sex = b.sex AND a.birth = b.birth AND a.last <= b.first
        WHERE a.last_in = 1 AND b.last_in = 0 AND a.entered = 1 AND a.left_ = 1
    """)
    (pairs,) = connection.execute("SELECT count(*) FROM links").fetchall()
    return int(pairs[0])
