"""A small fictional office, XX, on the whole real framework: the input of the golden tree."""

from __future__ import annotations

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
