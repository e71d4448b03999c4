"""What a page offers to machines: files to download and the addresses of the SDMX services."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.catalogue.render import Content
from pipeline.catalogue.view import Catalogue, View
from pipeline.catalogue.wording import Words

_STRUCTURES = ("structures-2.1.xml", "structures-3.0.xml", "structures.json", "maps-3.0.xml")
_ENDINGS = ("xml", "json", "csv")
_SNIPPETS = ("curl", "pandas", "sdmx1", "pysdmx", "R: rsdmx", "DuckDB", "Excel: Power Query")


def downloads(catalogue: Catalogue, view: View, words: Words) -> list[Content]:
    """The files of a dataset that are there, with size and checksum."""
    found = []
    for each in catalogue.formats.values():
        path = each.path(view.flow.id, view.area)
        found.append((path, words.name(each.label), each.media_type))
    zipped = f"packages/{view.flow.id}/{view.area}.zip"
    found.append((zipped, words.texts["dataset"]["zip"], "application/zip"))
    return [
        {
            "path": path,
            "label": label,
            "media_type": media_type,
            "size": words.size(catalogue.written[path].bytes),
            "bytes": catalogue.written[path].bytes,
            "sha256": catalogue.written[path].sha256,
        }
        for path, label, media_type in found
        if path in catalogue.written
    ]


def structure_files(catalogue: Catalogue, structure: str = "") -> list[str]:
    """Structure messages, and the schema of one structure's data, that are in the release."""
    wanted = [f"files/structures/{name}" for name in _STRUCTURES]
    if structure:
        wanted.append(f"files/structures/schemas/{structure}.xsd")
    return [path for path in wanted if path in catalogue.written]


def addresses(catalogue: Catalogue, flow: str) -> list[tuple[str, str]]:
    """(service, address) of the structure, the data and the reference metadata of a dataflow that the release has."""
    base, agency = catalogue.settings.base_url.rstrip("/"), catalogue.library.agency
    newer = (
        f"structure/dataflow/{agency}/{flow}/+",
        f"data/dataflow/{agency}/{flow}/+",
        f"metadata/structure/dataflow/{agency}/{flow}/+",
    )
    patterns = {
        "sdmx/v1": (f"dataflow/{agency}/{flow}/latest", f"data/{flow}"),
        "sdmx/v2": newer,
        "sdmx/v2xml": newer,
    }
    return [
        (service, f"{base}/{service}/{path}/")
        for service, paths in patterns.items()
        for path in paths
        if any(f"{service}/{path}/index.{ending}" in catalogue.written for ending in _ENDINGS)
    ]


def snippets(catalogue: Catalogue, flow: str, area: str) -> Mapping[str, str]:
    """Code that reads one dataset, by tool. Only what the release holds is shown."""
    base = catalogue.settings.base_url.rstrip("/")
    table, message = f"files/{flow}/{area}/data.csv", f"files/{flow}/{area}/data.xml"
    structures, columns = "files/structures/structures-2.1.xml", f"files/{flow}/{area}/data.parquet"
    structure = catalogue.library.dataflows[flow].structure.id
    held = catalogue.written.keys()
    code: dict[str, str] = {}
    if table in held:
        code["curl"] = f"curl -O {base}/{table}"
        code["pandas"] = (
            "import pandas as pd\n\n"
            "# dtype=str keeps codes such as 004; keep_default_na=False keeps NA, the code of Namibia\n"
            f'data = pd.read_csv(\n    "{base}/{table}",\n    dtype=str,\n    keep_default_na=False,\n)\n'
            'data["OBS_VALUE"] = pd.to_numeric(data["OBS_VALUE"])'
        )
        code["Excel: Power Query"] = (
            "let\n"
            f'    Source = Csv.Document(Web.Contents("{base}/{table}"), [Encoding = 65001, Delimiter = ","]),\n'
            "    Data = Table.PromoteHeaders(Source)\nin\n    Data"
        )
    if message in held:
        code["R: rsdmx"] = f'library(rsdmx)\n\ndata <- as.data.frame(readSDMX("{base}/{message}"))'
    if columns in held:
        code["DuckDB"] = (
            "INSTALL httpfs;\nLOAD httpfs;\n\n"
            f"SELECT REF_AREA, TIME_PERIOD, OBS_VALUE\nFROM read_parquet('{base}/{columns}');"
        )
    if {message, structures} <= held:
        code["pysdmx"] = (
            "from pysdmx.io import get_datasets\n\n"
            f'base = "{base}/"\n'
            f'data = get_datasets(\n    base + "{message}",\n    base + "{structures}",\n)[0].data'
        )
    if any(service == "sdmx/v1" for service, _ in addresses(catalogue, flow)):
        code["sdmx1"] = (
            "import sdmx\n\n"
            f'sdmx.add_source({{"id": "{catalogue.library.agency}", "name": "", "url": "{base}/sdmx/v1"}})\n'
            f'client = sdmx.Client("{catalogue.library.agency}")\n'
            f'structure = client.dataflow("{flow}", version="latest").structure["{structure}"]\n'
            f'data = sdmx.to_pandas(client.data("{flow}", key={{"REF_AREA": "{area}"}}, dsd=structure))'
        )
    elif {message, structures} <= held:
        code["sdmx1"] = (
            "from urllib.request import urlretrieve\nimport sdmx\n\n"
            f'base = "{base}/"\n'
            f'urlretrieve(base + "{structures}", "structures.xml")\n'
            f'urlretrieve(base + "{message}", "data.xml")\n'
            f'structure = sdmx.read_sdmx("structures.xml").structure["{structure}"]\n'
            'data = sdmx.to_pandas(sdmx.read_sdmx("data.xml", structure=structure))'
        )
    return {name: code[name] for name in _SNIPPETS if name in code}
