"""The table as a JSON-stat 2.0 dataset, for tools of statistical offices and for charts (json-stat.org/full).

JSON-stat has one language and one place for marks: labels are English, with the other languages under `extension`;
`status` says OBS_STATUS of each figure. Further attributes stand under `extension`, once where all rows share them.
A figure has the number of its cell in the cube of the codes used; only cells with a row are written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from math import prod
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from pipeline.formats import Format
from pipeline.formats.columns import Column, chunks, components, factors, opening, rendered, repeated, used
from pipeline.framework import LANGUAGES
from pipeline.model import Description, Library, Protected


def write(protected: Protected, description: Description, library: Library, file: BinaryIO) -> None:
    """Write the dataset; a withheld or missing figure is null."""
    coded = {name: used(protected, name) for name in components(protected, "dimension")}
    cube = coded | {"TIME_PERIOD": sorted(protected.frame["TIME_PERIOD"].astype(str).unique())}
    cells = _cells(protected.frame, cube)
    order = np.argsort(cells, kind="stable")
    frame = protected.frame.iloc[order]
    numbers = pa.array(cells[order].astype(str)) if cells.dtype == object else pa.array(cells[order]).cast(pa.string())
    attributes = [name for name in components(protected, "attribute") if name != "OBS_STATUS"]
    shared = {name: str(frame[name].iloc[0]) for name in attributes if len(pd.factorize(frame[name])[1]) == 1}
    head = {
        "version": "2.0",
        "class": "dataset",
        "label": description.title["en"],
        "source": description.fields.get("CONTACT_ORGANISATION", {}).get("en", ""),
        "updated": description.last_update,
        "id": list(cube),
        "size": [len(codes) for codes in cube.values()],
        "role": {"time": ["TIME_PERIOD"], "geo": ["REF_AREA"], "metric": [protected.flow.structure.measure_dimension]},
        "dimension": {name: _dimension(protected, name, codes) for name, codes in cube.items()},
    }
    extension = {
        "dataflow": f"{library.agency}:{protected.flow.id}(1.0.0)",
        "label": dict(description.title),
        "licence": description.licence,
        "attributes": {name: text for name, text in shared.items() if text},
    }
    file.write(json.dumps(head, ensure_ascii=False)[:-1].encode())
    figures = frame["OBS_VALUE"].astype("float64")
    _pairs(file, "value", numbers, rendered(figures, lambda text: text or "null"))
    _pairs(file, "status", numbers, rendered(frame["OBS_STATUS"], json.dumps))
    file.write(b',"extension":' + json.dumps(extension, ensure_ascii=False)[:-1].encode())
    for name in attributes:
        if name not in shared:
            _pairs(file, name, numbers, rendered(frame[name], lambda text: json.dumps(text, ensure_ascii=False)))
    file.write(b"}}\n")


def _cells(frame: pd.DataFrame, cube: Mapping[str, list[str]]) -> npt.NDArray[Any]:
    """The number of each row's cell, the last dimension running fastest."""
    kind = np.int64 if prod(map(len, cube.values())) < 2**63 else object
    cells = np.zeros(len(frame), dtype=kind)
    for name, codes in cube.items():
        places, distinct = factors(frame[name])
        order = {code: number for number, code in enumerate(codes)}
        cells = cells * len(codes) + np.array([order.get(str(each), -1) for each in distinct] + [-1], kind)[places]
    return cells


def _dimension(protected: Protected, name: str, codes: list[str]) -> dict[str, Any]:
    component = protected.flow.structure.components[name]
    said: dict[str, Any] = {"label": component.concept.name["en"], "category": {"index": codes}}
    extension: dict[str, Any] = {"label": dict(component.concept.name)}
    if component.codelist is not None:
        texts = {code: component.codelist.codes[code].name for code in codes}
        said["category"]["label"] = {code: text.get("en", code) for code, text in texts.items()}
        extension["category"] = {
            lang: {code: text[lang] for code, text in texts.items() if lang in text}
            for lang in LANGUAGES
            if lang != "en"
        }
    return said | {"extension": extension}


def _pairs(file: BinaryIO, name: str, numbers: pa.Array, values: Column) -> None:
    """One object of the document, from the number of a cell to what stands there."""
    file.write(f',"{name}":{{'.encode())
    file.writelines(_written(numbers, values))
    file.write(b"}")


def _written(numbers: pa.Array, values: Column) -> Iterator[bytes]:
    rows = len(numbers)
    yield from chunks([opening('"', ',"', rows), numbers, repeated('":', rows), values])


FORMAT = Format(
    id="jsonstat",
    folder="files",
    file="json-stat.json",
    media_type="application/json",
    label=dict.fromkeys(LANGUAGES, "JSON-stat 2.0"),
    write=write,
)
