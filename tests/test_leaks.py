"""Nothing leaks: the figures that a release withholds stand in none of its bytes, however they are written.

The figures of the office are made so large and odd that each can only be itself. Two releases go out, the second
with other figures, so that deltas, change notes and revisions are there to be searched too.
"""

from __future__ import annotations

import gzip
import io
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from office import build_office

from pipeline import commands, run
from pipeline import library as library_

pytestmark = pytest.mark.thorough  # two releases, and every byte of the second

FLOW = "DF_BORDER"
_FORBID = '\n[[forbidden]]\nwhen = "CITIZENSHIP in PE"\n'
_KEY = ["CITIZENSHIP", "SEX", "TIME_PERIOD"]
_APART = (".,'_ ", "\u00a0", "\u202f", "\u2009")  # what may stand between thousands


def deliver(office: Path, factor: int) -> None:
    """Entries of three nationalities and their sum, by sex and month; every figure has eight digits or more."""
    chance, lines = np.random.default_rng(factor), ["Año;Mes;Nacionalidad;Sexo;Entradas"]
    for month in ("Enero", "Febrero"):
        for sex in "HM":
            counts = chance.integers(20_000_000, 70_000_000, 3)
            for nationality, count in zip(
                ("Perú", "Holandesa", "Chilena", "Extranjeros"), (*counts, counts.sum()), strict=True
            ):
                lines.append(f"2025;{month};{nationality};{sex};{count:,}".replace(",", "."))
    (office / "data/XX/entradas.csv").write_text("\n".join(lines) + "\n", encoding="latin-1")


def deliver_apart(office: Path, number: int, moved: int) -> None:
    """The same, but that `moved` persons of each line are of the nationality beside their own: both are withheld."""
    chance, lines = np.random.default_rng(number), ["Año;Mes;Nacionalidad;Sexo;Entradas"]
    for month in ("Enero", "Febrero"):
        for sex in "HM":
            few, more = (int(chance.integers(start, start + 500)) for start in (4_000, 9_000))
            counts = (few + moved, more - moved, 60_000 + few, few + more + 60_000 + few)
            for nationality, count in zip(("Perú", "Holandesa", "Chilena", "Extranjeros"), counts, strict=True):
                lines.append(f"2025;{month};{nationality};{sex};{count:,}".replace(",", "."))
    (office / "data/XX/entradas.csv").write_text("\n".join(lines) + "\n", encoding="latin-1")


def figures(office: Path) -> pd.DataFrame:
    """The received figures with their published values."""
    loaded = library_.load(office)
    received = run.receive(office, loaded.countries["XX"].series[FLOW], loaded).frame
    shown = pd.read_csv(office / f"build/public/files/{FLOW}/XX/data.csv", dtype=str, keep_default_na=False)
    return shown[[*_KEY, "OBS_VALUE", "CONF_STATUS"]].merge(
        received[[*_KEY, "OBS_VALUE"]].astype(dict.fromkeys(_KEY, str)), on=_KEY, suffixes=("", " received")
    )


def contents(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """A file, or what is folded in it, as bytes that can be searched."""
    if data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.namelist():
                yield from contents(f"{name}!{member}", archive.read(member))
    elif data.startswith(b"\x1f\x8b"):
        yield from contents(f"{name}!gz", gzip.decompress(data))
    elif data.startswith(b"PAR1"):
        yield name, pq.read_table(io.BytesIO(data)).to_pandas().to_csv().encode()
        yield f"{name}!footer", data[-200_000:]  # statistics of the columns: least and greatest
    else:
        yield name, data


def together(data: bytes) -> bytes:
    """The same without what may stand between thousands."""
    joined = data.translate(None, _APART[0].encode())
    for sign in _APART[1:]:
        joined = joined.replace(sign.encode(), b"")
    return joined


def standing(office: Path, numbers: set[int]) -> dict[str, set[int]]:
    """File → those of the numbers that stand in it, with or without separators, in decimal or as raw integers."""
    written = {str(number).encode(): number for number in numbers}
    written |= {number.to_bytes(8, order): number for number in numbers for order in ("little", "big")}
    written |= {np.float64(number).tobytes(): number for number in numbers}
    any_of_them = b"|".join(b"".join(b"\\x%02x" % byte for byte in each) for each in written)
    found: dict[str, set[int]] = {}
    public = office / "build/public"
    for path in sorted((*public.rglob("*"), office / "build/reports/publish.log")):
        if path.is_file():
            for name, data in contents(path.relative_to(office).as_posix(), path.read_bytes()):
                joined = together(data)
                both = pa.array([data, joined], pa.large_binary())
                if any(pc.match_substring_regex(both, any_of_them).to_pylist()):  # RE2: all of them in one reading
                    hits = [each for each in written if each in data or each in joined]
                    found[name] = {written[hit] for hit in hits}
    return found


def secretive(folder: Path) -> Path:
    """An office that publishes no figure of people from Peru."""
    office = build_office(folder)
    shutil.rmtree(office / "metadata/national/XX/DF_STOCK.toml", ignore_errors=True)
    with (office / "metadata/national/XX/codes.csv").open("a", encoding="utf-8") as file:
        file.write("CITIZENSHIP,,Chilena,CL,\n")
    protect = office / f"dsd/{FLOW}/protect.toml"
    text = protect.read_text(encoding="utf-8")
    protect.write_text(text.replace("\n[reason]", _FORBID + "\n[reason]"), encoding="utf-8")
    (office / "metadata/national/XX/revisions.csv").write_text(
        "flow,date,scope,reason_en,reason_es,reason_pt\n"
        f"{FLOW},2026-11-25,,Forms that came late,Formularios tardíos,Formulários tardios\n",
        encoding="utf-8",
    )
    return office


def release(office: Path, number: int) -> None:
    settings = office / "publish.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(re.sub(r'release = "[^"]*"', f'release = "2026-11-2{3 + number}.1"', text), encoding="utf-8")
    assert commands.publish(office, areas=[], flows=[FLOW], is_dry=False) in (0, 1)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, set[int]], set[int], set[int]]:
    """What stands in the files of an office after two releases, the figures that it withheld in either, and the rest."""
    office = secretive(tmp_path_factory.mktemp("office"))
    withheld: set[int] = set()
    shown: set[int] = set()
    for number in (1, 2):
        deliver(office, number)
        release(office, number)
        found = figures(office)
        is_withheld = (found["OBS_VALUE"] == "").to_numpy()
        withheld |= set(found.loc[is_withheld, "OBS_VALUE received"].astype(int))
        shown |= set(found.loc[~is_withheld, "OBS_VALUE received"].astype(int))
    return standing(office, withheld | shown), withheld, shown


def test_a_withheld_figure_stands_in_no_byte_of_the_releases(
    released: tuple[dict[str, set[int]], set[int], set[int]],
) -> None:
    found, withheld, shown = released
    assert len(withheld) >= 16, "of two releases: Peru and one more nationality, by sex and month"
    assert not withheld & shown
    assert {name: numbers & withheld for name, numbers in found.items() if numbers & withheld} == {}


def test_the_search_finds_what_is_published_in_every_kind_of_file(
    released: tuple[dict[str, set[int]], set[int], set[int]],
) -> None:
    """Or the test above would find nothing because it cannot see."""
    found = released[0]
    kinds = {Path(name.rpartition("!")[2] or name).suffix for name in found}
    assert {".csv", ".xml", ".json", ".parquet", ".html"} <= kinds
    assert any("data.xlsx!" in name for name in found)
    assert any(name.endswith(".zip") or ".zip!" in name for name in found)
    assert any("releases/" in name for name in found), "deltas are searched too"


def test_other_withheld_figures_make_the_same_releases(tmp_path: Path) -> None:
    """Byte by byte: whatever is withheld, nothing that is published depends on it, not even a checksum."""
    trees = []
    for name, moved in (("one", 0), ("other", 137)):
        office = secretive(tmp_path / name)
        for number in (1, 2):
            deliver_apart(office, number, moved)
            release(office, number)
        found = figures(office)
        hidden = found[found["OBS_VALUE"] == ""]
        assert set(hidden["CITIZENSHIP"]) == {"PE", "NL"}
        public = office / "build/public"
        trees.append({p.relative_to(public).as_posix(): p.read_bytes() for p in public.rglob("*") if p.is_file()})
    one, other = trees
    assert one.keys() == other.keys()
    assert [path for path in one if one[path] != other[path]] == []
