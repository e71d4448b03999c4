"""A small fictional office, XX, on the whole real framework: the input of the golden tree."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]
AREA = "XX"
_ROWS = {
    "codelists/MIGLAC/CL_AREA-1.0.0.csv": [
        "XX,,Fictionland,Ficticia,Fictícia,country,XXX,999",
        "XX-N,XX,North,Norte,Norte,area,,",
        "XX-S,XX,South,Sur,Sul,area,,",
        'XX-_U,XX,"Fictionland, area unknown","Ficticia, área ignorada","Fictícia, área ignorada",area_unknown,,',
    ],
    "codelists/MIGLAC/CL_ORIGIN-1.0.0.csv": ["XX,R005,Fictionland,Ficticia,Fictícia,country,XXX,999"],
    "metadata/reasons.csv": [
        "Crew are not counted as travellers,Los tripulantes no se cuentan,Tripulantes não se contam"
    ],
    "metadata/agencies.csv": ["MIGLAC.XX,agency,Fictionland,Ficticia,Fictícia,"],
}


def take_in(office: Path, run: Path, *flows: str) -> None:
    """Put the tables, layouts and codes that a method wrote for XX into an office, with the agreements they need."""
    national = office / "metadata/national" / AREA
    for path in (run / "national").glob("DF_*.csv"):
        shutil.copy(path, office / "data" / AREA)
    for path in (run / "national").glob("*.toml"):
        shutil.copy(path, national)
    with (national / "codes.csv").open("a", encoding="utf-8") as file:
        file.writelines((run / "national/codes.csv").read_text(encoding="utf-8").splitlines(keepends=True)[1:])
    country = national / "country.toml"
    agreed = ", ".join(f'"{flow}"' for flow in ("DF_BORDER", *flows))
    country.write_text(country.read_text(encoding="utf-8").replace('"DF_BORDER"]', f"{agreed}]"), encoding="utf-8")


def figures(office: Path, flow: str) -> list[dict[str, str]]:
    """The rows of a dataflow as the release has them."""
    with (office / f"build/public/files/{flow}/{AREA}/data.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def build_office(folder: Path) -> Path:
    """Copy the framework to `folder`, with the country XX of tests/golden in place of the ten."""
    for part in ("codelists", "dsd", "metadata", "site"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("national"))
    for path, rows in _ROWS.items():
        with (folder / path).open("a", encoding="utf-8") as file:
            file.write("".join(f"{row}\n" for row in rows))
    source = ROOT / "tests/golden" / AREA
    shutil.copytree(source / "national", folder / "metadata/national" / AREA)
    shutil.copytree(source / "data", folder / "data" / AREA)
    shutil.copy(source / "publish.toml", folder / "publish.toml")
    return folder
