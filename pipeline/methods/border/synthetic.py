"""Crossings that look real and are of nobody, for tests and benchmarks: any size, the same for the same seed.

Kinds of traveller, each with its own way of moving: tourists, residents on trips abroad, circular workers,
people who come to live, people who leave to live elsewhere, visitors who outstay, border workers and crew.
Some exits are missing, and some people change their document, and with it their key, on the way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.methods.border.days import DAY_SECONDS, day_number

COUNTRIES = ("AR", "BR", "CL", "CO", "EC", "ES", "MX", "PE", "US", "VE", "NO", "NA")
PURPOSES = ("TOUR", "WORK", "FAM", "EDU", "_U")
POSTS = {"XX_A1": "AIR", "XX_A2": "AIR", "XX_L1": "LAND", "XX_L2": "LAND", "XX_S1": "SEA"}
_PERSONS_AT_ONCE = 200_000
_SEASON = np.array([14, 12, 8, 7, 6, 7, 10, 8, 6, 6, 7, 9], dtype=float)  # arrivals by month, January first


@dataclass(frozen=True)
class Kind:
    """How a kind of traveller moves: mean days inside and outside, and how many crossings at most."""

    share: float
    is_foreign: float  # share of foreigners
    inside_days: float
    outside_days: float
    crossings: tuple[int, int]
    traveller_type: str = ""
    starts_inside: bool = False


KINDS = {
    "tourist": Kind(0.555, 0.85, 12, 500, (2, 5)),
    "traveller": Kind(0.30, 0.15, 160, 14, (2, 22), starts_inside=True),
    "circular": Kind(0.035, 0.9, 75, 40, (6, 30)),
    "immigrant": Kind(0.04, 0.8, 700, 25, (1, 8)),
    "emigrant": Kind(0.03, 0.2, 30, 800, (1, 6), starts_inside=True),
    "overstayer": Kind(0.015, 1.0, 320, 300, (1, 3)),
    "student": Kind(0.015, 0.95, 300, 50, (2, 7)),
    "border worker": Kind(0.004, 0.6, 0.4, 1.2, (20, 200), "XBW"),
    "crew": Kind(0.006, 0.5, 2, 9, (10, 80), "CREW"),
}
MISSING_EXITS = 0.006  # share of records lost
NEW_DOCUMENTS = 0.004  # share of persons

Whole = npt.NDArray[np.int64]


def crossings(
    persons: int, *, seed: int, start: str = "2016-01-01", end: str = "2024-12-31", first: int = 0
) -> Iterator[pa.Table]:
    """Crossings of `persons` people between two days, in tables of whole persons; `first` numbers the first of them."""
    for chunk, begin in enumerate(range(0, persons, _PERSONS_AT_ONCE)):
        count = min(_PERSONS_AT_ONCE, persons - begin)
        chance = np.random.default_rng([seed, chunk])
        yield _chunk(count, chance, start=day_number(start), end=day_number(end), first=first + begin)


def write(path: Path, persons: int, *, seed: int, start: str = "2016-01-01", end: str = "2024-12-31") -> int:
    """Write the crossings as Parquet in the order in which they happened; the number of crossings."""
    import duckdb

    rows, loose = 0, path.with_suffix(".loose.parquet")
    writer = None
    for table in crossings(persons, seed=seed, start=start, end=end):
        writer = writer or pq.ParquetWriter(loose, table.schema, compression="snappy")
        writer.write_table(table)
        rows += len(table)
    if writer:
        writer.close()
    with duckdb.connect(config={"temp_directory": str(path.parent), "memory_limit": "4GB"}) as engine:
        engine.execute(f"""
            SET enable_progress_bar = false;
            COPY (
                SELECT * REPLACE (CAST(row_number() OVER (ORDER BY ts, crossing_id) AS BIGINT) AS crossing_id)
                FROM '{loose}' ORDER BY ts, crossing_id
            ) TO '{path}' (FORMAT parquet)
        """)
    loose.unlink()
    return rows


def _chunk(count: int, chance: np.random.Generator, *, start: int, end: int, first: int) -> pa.Table:
    kinds = list(KINDS.values())
    kind = chance.choice(len(kinds), count, p=np.array([each.share for each in kinds]) / sum(k.share for k in kinds))
    low, high = (np.array([each.crossings[side] for each in kinds])[kind] for side in (0, 1))
    legs = low + np.floor((high - low + 1) * chance.random(count) ** 2).astype(np.int64)
    owner = np.repeat(np.arange(count), legs)
    turn = np.arange(len(owner)) - np.repeat(np.cumsum(legs) - legs, legs)
    starts_inside = np.array([each.starts_inside for each in kinds])[kind]
    is_arrival = (turn % 2 == 0) ^ starts_inside[owner]
    second = _moments(kind[owner], turn, is_arrival, chance, start=start, end=end)
    keep = (second < (end + 1) * DAY_SECONDS) & ~((chance.random(len(owner)) < MISSING_EXITS) & ~is_arrival)
    owner, is_arrival, second, turn = owner[keep], is_arrival[keep], second[keep], turn[keep]
    return _table(owner, is_arrival, second, turn, kind=kind, chance=chance, start=start, first=first)


def _moments(
    kind: Whole, turn: Whole, is_arrival: npt.NDArray[np.bool_], chance: np.random.Generator, *, start: int, end: int
) -> Whole:
    """Seconds since 1970 of each crossing: a first day in season, then stays and absences of chance length."""
    kinds = list(KINDS.values())
    inside, outside = (np.array([getattr(each, f"{side}_days") for each in kinds]) for side in ("inside", "outside"))
    is_first = turn == 0
    years = (end - start) // 365 + 1
    month = chance.choice(12, len(turn), p=_SEASON / _SEASON.sum())
    opening = chance.integers(0, years, len(turn)) * 365.25 + (month + chance.random(len(turn))) * 30.43
    mean = np.where(is_arrival, outside[kind], inside[kind])  # what went before this crossing
    gap = chance.gamma(1.5, mean / 1.5)
    step = np.where(is_first, (start + opening) * DAY_SECONDS, gap * DAY_SECONDS)
    total = np.cumsum(step)
    before = np.maximum.accumulate(np.where(is_first, np.arange(len(turn)), 0))
    return np.asarray(total - (total - step)[before], dtype=np.int64)


def _table(
    owner: Whole,
    is_arrival: npt.NDArray[np.bool_],
    second: Whole,
    turn: Whole,
    *,
    kind: Whole,
    chance: np.random.Generator,
    start: int,
    first: int,
) -> pa.Table:
    kinds, count = list(KINDS.values()), len(kind)
    is_foreign = chance.random(count) < np.array([each.is_foreign for each in kinds])[kind]
    citizenship = np.where(is_foreign, chance.choice(len(COUNTRIES), count, p=_zipf(len(COUNTRIES))) + 1, 0)
    birth = start - np.minimum(chance.gamma(4, 9.5, count), 95) * 365.25
    changes = np.where(chance.random(count) < NEW_DOCUMENTS, chance.integers(1, 4, count), 1000)
    key = (owner + first) * 2 + (turn >= changes[owner])
    post = chance.choice(len(POSTS), len(owner), p=[0.5, 0.1, 0.25, 0.1, 0.05])
    counterpart = np.where(is_foreign, citizenship - 1, chance.integers(0, len(COUNTRIES), count))
    purpose = np.array([0, 0, 1, 2, 2, 0, 3, 1, 1])[kind]
    types = ["", *sorted({each.traveller_type for each in kinds} - {""})]
    of_kind = np.array([types.index(each.traveller_type) for each in kinds])
    return pa.table(
        {
            "person_id": _keys(key),
            "crossing_id": pa.array(first * 1000 + np.arange(len(owner)), pa.int64()),
            "ts": pa.array(second, pa.int64()).cast(pa.timestamp("s")).cast(pa.timestamp("us")),
            "is_arrival": pa.array(is_arrival.astype(np.int8)),
            "citizenship": _coded(citizenship[owner], ["XX", *COUNTRIES]),
            "sex": _coded(chance.integers(0, 2, count)[owner], ["F", "M"]),
            "birth_date": pa.array(birth[owner].astype(np.int32), pa.int32()).cast(pa.date32()),
            "purpose": _coded(purpose[owner], list(PURPOSES)),
            "post": _coded(post, list(POSTS)),
            "mode": _coded(post, list(POSTS.values())),
            "counterpart": _coded(counterpart[owner], list(COUNTRIES)),
            "traveller_type": _coded(of_kind[kind][owner], types),
        }
    )


def _keys(numbers: Whole) -> pa.Array:
    """Sixteen signs that say nothing of the number (the finaliser of SplitMix64, which is one to one)."""
    mixed = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    signs = np.frombuffer(mixed.astype(">u8").tobytes(), np.uint8)
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)
    text = np.stack([digits[signs >> 4], digits[signs & 15]], axis=1).tobytes()
    offsets = np.arange(0, 16 * len(numbers) + 1, 16, dtype=np.int32)
    return pa.StringArray.from_buffers(len(numbers), pa.py_buffer(offsets.tobytes()), pa.py_buffer(text))


def _coded(codes: npt.NDArray[np.integer], words: list[str]) -> pa.Array:
    indices = pa.array(codes.astype(np.int32), pa.int32())
    return pa.DictionaryArray.from_arrays(indices, pa.array(words)).cast(pa.string())


def _zipf(count: int) -> npt.NDArray[np.float64]:
    weights = 1 / np.arange(1, count + 1)
    return np.asarray(weights / weights.sum(), dtype=np.float64)
