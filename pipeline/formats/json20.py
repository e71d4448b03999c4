"""SDMX-JSON 2.0 data (SDMX 3.0 section 6, data message), grouped by time series or one by one.

The structure of the message lists the values that each component takes in it; keys, observations and
attributes are positions in these lists. Names stand in English and, under the plural, in every language.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.formats import Format, validity
from pipeline.formats.columns import Ahead, Column, chunks, coded, figure, opening, rendered, repeated, starts
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
    """Write the observations by series; a withheld one has its status and `null` for its value."""
    write_all([(protected, description)], library, file)


def write_all(
    datasets: Sequence[tuple[Protected, Description]], library: Library, file: BinaryIO, *, is_flat: bool = False
) -> None:
    """Write a data set for each version of the same table, the newest last.

    A flat message has each observation with its whole key, one by one.
    """
    protected, description = datasets[-1]
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
    told = zip(datasets, validity(datasets), strict=True)
    filled = [(_Message(each, is_flat=is_flat), of, held) for (each, of), held in told if len(each.frame)]
    flow, structure = protected.flow.id, protected.flow.structure.id
    links = [
        {"rel": "dataflow", "urn": f"{_STRUCTURES}Dataflow={library.agency}:{flow}(1.0.0)"},
        {"rel": "structure", "urn": f"{_STRUCTURES}DataStructure={library.agency}:{structure}(1.0.0)"},
    ]
    said = [
        {**_texts(protected.flow.name), "links": links, **message.structure(), "dataSets": [number]}
        for number, (message, _, _) in enumerate(filled)
    ]
    file.write(b',"data":{"structures":' + _json(said) + b',"dataSets":[')
    for number, (message, of, held) in enumerate(filled):
        dataset = {
            "structure": number,
            "action": "Information",
            **held,
            "links": links[:1],
            "attributes": [of.vintage, of.last_update, of.licence],
            **({"dimensionGroupAttributes": message.groups()} if message.attributes["group"] else {}),
        }
        file.write((b"," if number else b"") + _json(dataset)[:-1])
        file.write(b',"observations":{\n' if is_flat else b',"series":{\n')
        file.writelines(chunks(message.observations() if is_flat else message.series()))
        file.write(b"\n}}" if is_flat else b"}}\n}}")
    file.write(b"]}}\n")


@dataclass(frozen=True)
class _Column:
    """The place of each row's text among the distinct ones, as it is written, and those."""

    places: pa.DictionaryArray
    texts: list[str]


class _Message:
    """The columns of one table as positions among their distinct values."""

    def __init__(self, protected: Protected, *, is_flat: bool) -> None:
        self.frame, self.of, self.is_flat = protected.frame, protected.flow.structure, is_flat
        every = [*self.of.key, *(a for a in self.of.attributes("group", "measure", "observation") if a in self.frame)]
        self._columns = {name: self._column(name) for name in every}
        # An attribute that says nothing in the whole table is not there.
        self.attributes = {
            place: [a for a in self.of.attributes(place) if a in self._columns and self._columns[a].texts]
            for place in ("group", "measure", "observation")
        }

    def _column(self, name: str) -> _Column:
        if name not in self.frame:  # series alone have no periods
            return _Column(repeated("null", len(self.frame)), [])
        codes, distinct = pd.factorize(self.frame[name])
        texts = ["" if pd.isna(v) else figure(v) if isinstance(v, float) else str(v) for v in distinct]
        kept = {text: place for place, text in enumerate(text for text in texts if text)}
        kind = np.min_scalar_type(len(kept))
        places = np.array([*(kept.get(text, -1) + 1 for text in texts), 0], dtype=kind)  # nothing asks for the last
        return _Column(coded(places[codes], ["null", *map(str, range(len(kept)))]), list(kept))

    def structure(self) -> Json:
        """Dimensions, measure and attributes, each with the values that it takes.

        One by one, observations have all dimensions, and the attributes that series would have.
        """
        group = {"dimensions": list(self.of.group)}
        series = {"dimensions": list(self.of.dimensions)}
        relations = {"group": group, "measure": series, "observation": {"observation": {}}}
        said = {
            place: [{**self._component(name), "relationship": relations[place]} for name in names]
            for place, names in self.attributes.items()
        }
        keys = [{**self._component(name), "keyPosition": n} for n, name in enumerate(self.of.key)]
        if self.is_flat:
            dimensions = {"observation": keys}
            attributes = {"observation": [*said["measure"], *said["observation"]]}
        else:
            dimensions = {"series": keys[:-1], "observation": keys[-1:]}
            attributes = {"series": said["measure"], "observation": said["observation"]}
        on_dataset = [{**_named(self.of.components[a]), "relationship": {"dataflow": {}}} for a in _ON_DATASET]
        return {
            "dimensions": dimensions,
            "measures": {"observation": [_named(self.of.components["OBS_VALUE"])]},
            "attributes": {"dataSet": on_dataset, "dimensionGroup": said["group"], **attributes},
        }

    def _component(self, name: str) -> Json:
        component = self.of.components[name]
        values = [_value(component, text) for text in self._columns[name].texts]
        return {**_named(component), "values": values}

    def groups(self) -> Json:
        """Partial key → the attributes said once for it; blank positions stand for the other dimensions."""
        names = [*self.of.group, *self.attributes["group"]]
        first = pa.array(np.flatnonzero(~self.frame.duplicated(list(self.of.group))))
        places = {name: self._columns[name].places.indices.take(first).to_numpy() for name in names}
        rows = pd.DataFrame(places).astype("int64") - 1
        found = {}
        for row in rows.itertuples(index=False):
            said = dict(zip(names, row, strict=True))
            key = ":".join(str(said[d]) if d in self.of.group else "" for d in self.of.dimensions)
            found[key] = [int(said[a]) if said[a] >= 0 else None for a in self.attributes["group"]]
        return found

    def series(self) -> list[Column | Ahead]:
        """The text of every observation, with that of its series before the first of each."""
        first, rows = starts(self.frame, self.of.dimensions), len(self.frame)
        begin = opening('"', '}},\n"', rows)
        middle, end = repeated('":{"attributes":[', rows), repeated('],"observations":{', rows)
        keys, attributes = self._apart(self.of.dimensions, ":"), self._apart(self.attributes["measure"], ",")
        before = Ahead(first, [begin, *keys, middle, *attributes, end])
        if "TIME_PERIOD" not in self.frame:
            return [before]
        return [before, coded(first, [",", ""]), *self._entries(["TIME_PERIOD"], self.attributes["observation"])]

    def observations(self) -> list[Column | Ahead]:
        """The text of every observation with its whole key."""
        comma = opening("", ",\n", len(self.frame))
        keys = [name for name in self.of.key if name in self.frame]
        return [comma, *self._entries(keys, self.attributes["measure"] + self.attributes["observation"])]

    def _entries(self, keys: Sequence[str], attributes: Sequence[str]) -> Iterable[Column]:
        """Key, value and attributes of every observation; series alone have no value."""
        rows = len(self.frame)
        yield from (repeated('"', rows), *self._apart(keys, ":"), repeated('":[', rows))
        if "OBS_VALUE" in self.frame:
            yield rendered(self.frame["OBS_VALUE"].astype("float64"), lambda text: text or "null")
            yield from (part for name in attributes for part in (repeated(",", rows), self._columns[name].places))
        yield repeated("]", rows)

    def _apart(self, names: Sequence[str], separator: str) -> Iterable[Column]:
        """The places of several components with a separator between them."""
        for number, name in enumerate(names):
            if number:
                yield repeated(separator, len(self.frame))
            yield self._columns[name].places


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
