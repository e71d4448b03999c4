"""Files damaged in any way are read or refused in words: never a fault of the program, never without end."""

from __future__ import annotations

import contextlib
import io
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_workbooks import NAME, WRITERS

from pipeline.errors import InputError
from pipeline.grid import grid
from pipeline.methods.border import Asked, border
from pipeline.model import Layout
from pipeline.read import read

pytestmark = pytest.mark.thorough
SECONDS = 20  # for one small file
CSV = 'País;Año;"Hombres";Mujeres\nPerú;2024;1.200;"1,5"\n"Bolivia; Est. Plur.";2024;..;0\n'.encode()
PX = (
    'CHARSET="ANSI";\nTITLE="Población";\nSTUB="pais";\nHEADING="sexo","año";\nVALUES("pais")="Perú","Chile";\n'
    'VALUES("sexo")="Hombres","Mujeres";\nVALUES("año")="2023","2024";\nCODES("pais")="PE","CL";\n'
    'DATA=\n1 2 3 4\n"." 6 7 8;\n'
).encode("latin-1")
CROSSINGS = (
    b"person_id,crossing_id,ts,is_arrival,citizenship,sex,birth_date,purpose\n"
    b"a,1,2020-01-01 10:00:00,1,PE,F,1990-01-01,WORK\na,2,2021-06-01 10:00:00,0,PE,F,1990-01-01,WORK\n"
    b"b,3,2020-02-30 10:00:00,1,,X,1890-01-01,\n"
)


def damaged(content: bytes, wounds: Sequence[tuple[int, int, bytes]]) -> bytes:
    """Each wound cuts some bytes out at a place, given in thousandths of the length, and puts others in."""
    for place, length, put in wounds:
        at = place * len(content) // 1000
        content = content[:at] + put + content[at + length :]
    return content


def inside(content: bytes, member: int, wounds: Sequence[tuple[int, int, bytes]]) -> bytes:
    """The same to a member of an archive, which stays a good archive."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w") as new:
        names = old.namelist()
        for number, name in enumerate(names):
            own = old.read(name)
            new.writestr(name, damaged(own, wounds) if number == member % len(names) else own)
    return made.getvalue()


WORDS = st.sampled_from(
    [
        b"\x00",
        b"<",
        b">",
        b'"',
        b"]]>",
        b"\xff\xfe",
        b"9" * 400,
        b"-1",
        b"<!DOCTYPE a>",
        b"&a;",
        b"\n" * 50,
        b"\xf0\x9f\x8c\x8d",
    ]
)
WOUNDS = st.lists(
    st.tuples(st.integers(0, 1000), st.integers(0, 60), WORDS | st.binary(max_size=30)), min_size=1, max_size=4
)
HARD = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def survives(content: bytes, name: str, task: Callable[[Path], object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        started = time.monotonic()
        with contextlib.suppress(InputError):
            task(path)
        assert time.monotonic() - started < SECONDS
        assert path.read_bytes() == content, "what came in is never written to"


def reading(path: Path) -> None:
    layout = Layout(
        path.name,
        "INE",
        "CC-BY-4.0",
        ("Hombres",),
        {"COUNTRY_BIRTH": "País"},
        sheet=NAME if path.suffix[1:] in WRITERS else "",
    )
    grid(read(path.parent, layout), layout)


@pytest.mark.parametrize("kind", sorted(WRITERS))
@HARD
@given(member=st.integers(0, 50), wounds=WOUNDS, is_inside=st.booleans())
def test_workbooks(kind: str, member: int, wounds: list[tuple[int, int, bytes]], *, is_inside: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"t.{kind}"
        WRITERS[kind](path)
        content = path.read_bytes()
    is_archive = content[:2] == b"PK"
    survives(
        inside(content, member, wounds) if is_inside and is_archive else damaged(content, wounds), f"t.{kind}", reading
    )


@pytest.mark.parametrize(("name", "content"), [("t.csv", CSV), ("t.px", PX)])
@HARD
@given(wounds=WOUNDS)
def test_text_files(name: str, content: bytes, wounds: list[tuple[int, int, bytes]]) -> None:
    survives(damaged(content, wounds), name, reading)


def deciding(path: Path) -> None:
    border(Asked(path, path.parent / "out", "2022-12-31"))


def parquet() -> bytes:
    made = io.BytesIO()
    rows = [
        dict(zip(CROSSINGS.decode().splitlines()[0].split(","), line.split(","), strict=True))
        for line in CROSSINGS.decode().splitlines()[1:]
    ]
    pq.write_table(pa.Table.from_pylist(rows), made)
    return made.getvalue()


@pytest.mark.parametrize(("name", "content"), [("c.csv", CROSSINGS), ("c.parquet", parquet())])
@settings(HARD, max_examples=25)
@given(wounds=WOUNDS)
def test_crossings(name: str, content: bytes, wounds: list[tuple[int, int, bytes]]) -> None:
    survives(damaged(content, wounds), name, deciding)
