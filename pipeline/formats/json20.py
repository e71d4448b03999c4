"""SDMX-JSON 2.0 data (SDMX 3.0 section 6, data message), grouped by time series.

The structure of the message lists the values that each component takes in it; keys, observations and
attributes are positions in these lists. Names stand in English and, under the plural, in every language.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.formats import Format
from pipeline.formats.columns import chunks, figure, starts
from pipeline.framework import LANGUAGES, Component, Text
from pipeline.model import Description, Library, Protected

_SCHEMA = (
    "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/"
    "data-message/tools/schemas/2.0.0/sdmx-json-data-schema.json"
)
_ON_DATASET = ("VINTAGE", "LAST_UPDATE", "LICENCE")
_STRUCTURES = "urn:sdmx:org.sdmx.infomodel.datastructure."

Json = dict[str, Any]


def write(protected: Protected, description: Description, library: Library, file: BinaryIO) -> None:
    """Write the observations; a withheld one has its status and `null` for its value."""
    message = _Message(protected)
    head = {
        "meta": {
            "schema": _SCHEMA,
            "id": f"{protected.flow.id}_{protected.area or 'ALL'}",
            "test": False,
            "prepared": f"{description.last_update}T00:00:00Z",
            "contentLanguages": list(LANGUAGES),
            "sender": {"id": library.agency},
        }
    }
    file.write(_json(head)[:-1])
    if not len(protected.frame):
        file.write(b',"data":{"structures":[],"dataSets":[]}}\n')
        return
    flow, structure = protected.flow.id, protected.flow.structure.id
    links = [
        {"rel": "dataflow", "urn": f"{_STRUCTURES}Dataflow={library.agency}:{flow}(1.0.0)"},
        {"rel": "structure", "urn": f"{_STRUCTURES}DataStructure={library.agency}:{structure}(1.0.0)"},
    ]
    said = {**_texts(protected.flow.name), "links": links, **message.structure(), "dataSets": [0]}
    file.write(b',"data":{"structures":[' + _json(said) + b'],"dataSets":[')
    dataset = {
        "structure": 0,
        "action": "Information",
        "links": links[:1],
        "attributes": [description.vintage, description.last_update, description.licence],
        **({"dimensionGroupAttributes": message.groups()} if message.attributes["group"] else {}),
    }
    file.write(_json(dataset)[:-1] + b',"series":{\n')
    file.writelines(chunks(message.series()))
    file.write(b"}}\n}}]}}\n")


class _Message:
    """The columns of one table as positions among their distinct values."""

    def __init__(self, protected: Protected) -> None:
        self.frame, self.of = protected.frame, protected.flow.structure
        every = [*self.of.key, *(a for a in self.of.attributes("group", "measure", "observation") if a in self.frame)]
        self._factors = {name: self._factor(name) for name in every}
        # An attribute that says nothing in the whole table is not there.
        self.attributes = {
            place: [a for a in self.of.attributes(place) if a in self._factors and self._factors[a][1]]
            for place in ("group", "measure", "observation")
        }

    def _factor(self, name: str) -> tuple[np.ndarray[Any, np.dtype[np.int64]], list[str]]:
        if name not in self.frame:  # series alone have no periods
            return np.full(len(self.frame), -1), []
        codes, distinct = pd.factorize(self.frame[name])
        texts = ["" if pd.isna(v) else figure(v) if isinstance(v, float) else str(v) for v in distinct]
        kept = {text: place for place, text in enumerate(text for text in texts if text)}
        places = np.array([*(kept.get(text, -1) for text in texts), -1])
        return places[codes], list(kept)

    def structure(self) -> Json:
        """Dimensions, measure and attributes, each with the values that it takes."""
        group = {"dimensions": list(self.of.group)}
        series = {"dimensions": list(self.of.dimensions)}
        relations = {"group": group, "measure": series, "observation": {"observation": {}}}
        attributes = {
            place: [{**self._component(name), "relationship": relations[place]} for name in names]
            for place, names in self.attributes.items()
        }
        on_dataset = [{**_named(self.of.components[a]), "relationship": {"dataflow": {}}} for a in _ON_DATASET]
        period = {**self._component("TIME_PERIOD"), "keyPosition": len(self.of.dimensions)}
        return {
            "dimensions": {
                "series": [{**self._component(d), "keyPosition": n} for n, d in enumerate(self.of.dimensions)],
                "observation": [period],
            },
            "measures": {"observation": [_named(self.of.components["OBS_VALUE"])]},
            "attributes": {
                "dataSet": on_dataset,
                "dimensionGroup": attributes["group"],
                "series": attributes["measure"],
                "observation": attributes["observation"],
            },
        }

    def _component(self, name: str) -> Json:
        component = self.of.components[name]
        values = [_value(component, text) for text in self._factors[name][1]]
        return {**_named(component), "values": values}

    def groups(self) -> Json:
        """Partial key → the attributes said once for it; blank positions stand for the other dimensions."""
        names = [*self.of.group, *self.attributes["group"]]
        rows = pd.DataFrame({name: self._factors[name][0] for name in names}).drop_duplicates(list(self.of.group))
        found = {}
        for row in rows.itertuples(index=False):
            said = dict(zip(names, row, strict=True))
            key = ":".join(str(said[d]) if d in self.of.group else "" for d in self.of.dimensions)
            found[key] = [int(said[a]) if said[a] >= 0 else None for a in self.attributes["group"]]
        return found

    def series(self) -> list[pa.Array]:
        """The text of every observation, with that of its series before the first of each."""
        first = starts(self.frame, self.of.dimensions)
        opening = self._openings(first)
        before = pa.array(["", *opening], type=pa.string()).take(pa.array(first.cumsum() * first))
        if "TIME_PERIOD" not in self.frame:
            return [before]
        comma = np.where(first, "", ",")
        values = self.frame["OBS_VALUE"].to_numpy(dtype=float)
        codes, distinct = pd.factorize(values)
        shown = pa.array([*map(figure, distinct.tolist()), "null"]).take(
            pa.array(np.where(codes < 0, len(distinct), codes))
        )
        parts = [before, pa.array(comma), _constant('"', len(values)), self._places("TIME_PERIOD")]
        parts += [_constant('":[', len(values)), shown]
        for name in self.attributes["observation"]:
            parts += [_constant(",", len(values)), self._places(name)]
        return [*parts, _constant("]", len(values))]

    def _openings(self, first: np.ndarray[Any, np.dtype[np.bool_]]) -> list[str]:
        keys = _joined((self._places(d, first) for d in self.of.dimensions), ":")
        attributes = _joined((self._places(a, first) for a in self.attributes["measure"]), ",")
        attributes = attributes or [""] * len(keys)
        return [
            ("" if number == 0 else "}},\n") + f'"{key}":{{"attributes":[{said}],"observations":{{'
            for number, (key, said) in enumerate(zip(keys, attributes, strict=True))
        ]

    def _places(self, name: str, rows: np.ndarray[Any, np.dtype[np.bool_]] | None = None) -> pa.Array:
        places, distinct = self._factors[name]
        texts = pa.array([*map(str, range(len(distinct))), "null"])
        chosen = places if rows is None else places[rows]
        return texts.take(pa.array(np.where(chosen < 0, len(distinct), chosen)))


def _joined(columns: Iterable[pa.Array], separator: str) -> list[str]:
    found = list(columns)
    return pc.binary_join_element_wise(*found, separator).to_pylist() if found else []


def _constant(text: str, rows: int) -> pa.Array:
    return pa.array([text] * rows, type=pa.string())


def _named(component: Component) -> Json:
    return {"id": component.id, **_texts(component.concept.name)}


def _value(component: Component, text: str) -> Json:
    if component.codelist is not None:
        return {"id": text, **_texts(component.codelist.codes[text].name)}
    return {"value": text}


def _texts(text: Text) -> Json:
    return {"name": text["en"], "names": {lang: text[lang] for lang in LANGUAGES if text.get(lang)}}


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


FORMAT = Format(
    id="json20",
    folder="files",
    file="data.json",
    media_type="application/vnd.sdmx.data+json;version=2.0.0",
    label=dict.fromkeys(LANGUAGES, "SDMX-JSON 2.0"),
    write=write,
)
