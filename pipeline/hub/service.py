"""A plain SDMX service: its data of our dataflows, asked by REST, become the files that a site of this program has.

Nothing is translated but what the list of sites says: other names of columns, and values that a service leaves out.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd
import pyarrow as pa

from pipeline.errors import InputError
from pipeline.formats.columns import write_parquet
from pipeline.framework import LANGUAGES, Dataflow, Text
from pipeline.hub import fit, gather
from pipeline.hub.kept import LINEAGE, RECORD, TABLE, Kept, Key, State, Taken
from pipeline.hub.sites import Site
from pipeline.hub.web import Answer, Web
from pipeline.model import LINEAGE as CELL
from pipeline.model import Description, Library, Origin
from pipeline.plain import as_json
from pipeline.structures.artefacts import VERSION

_CSV = "application/vnd.sdmx.data+csv"
_XML = "application/vnd.sdmx.structurespecificdata+xml;version=2.1"
_ACCEPT = "{csv};version={api}.0.0, {csv};q=0.9, {xml};q=0.5, application/xml;q=0.4"
_PATH = {"1": "data/{agency},{id},{version}/all", "2": "data/dataflow/{agency}/{id}/{version}/*"}
_OF_MESSAGE = ("DATAFLOW", "STRUCTURE", "STRUCTURE_ID", "STRUCTURE_NAME", "ACTION")  # columns that say no figure
_WHERE_NOTHING_IS_SAID = {"OBS_STATUS": "A", "CONF_STATUS": "F"}  # a figure as any other, free to be published


def visit(site: Site, kept: Kept, web: Web, bench: gather.Bench) -> gather.Visit:
    """Take what a service has new of each dataflow; what is not fit is held back and what stood stays.

    Raises:
        InputError: the service does not answer.
    """
    before = kept.state
    tables: dict[Key, Taken] = {}
    held: dict[Key, Text] = {}
    validators: dict[str, str] = {}
    has_any = False
    for flow in site.flows or bench.library.dataflows:
        standing = {key: each for key, each in before.tables.items() if key[1] == flow}
        is_current = standing and all(each.common == bench.common for each in standing.values())
        answer = _asked(site, flow, web, before.validators if is_current else {}, bench.library)
        if answer.status == 404:  # it has no figures of the kind (SDMX REST, status codes)
            continue
        has_any = True
        found, faults = standing, dict[Key, Text]()
        if answer.status != 304:
            found, faults = _tables(answer.content, site, bench.library.dataflows[flow], kept, bench)
        tables |= found | {key: standing[key] for key in faults if key in standing}
        held |= faults
        if not faults:  # or it is asked for whole the next time
            validators |= {f"{flow} {name}": value for name, value in answer.validators.items()}
    if not has_any:
        raise InputError("{address}: the service has none of the dataflows that it is asked for.", address=site.address)
    is_new = tables != before.tables or held != before.held
    state = State(
        validators=validators,
        release=f"{bench.day}.1" if is_new or not before.release else before.release,
        moment=bench.moment if is_new or not before.moment else before.moment,
        signature=gather.UNSIGNED,
        tables=tables,
        held=held,
        endpoints={f"sdmx_v{site.api}": ""},
        robots=web.robots,
    )
    return gather.visited(site, kept, web, state)


def _asked(site: Site, flow: str, web: Web, validators: Mapping[str, str], library: Library) -> Answer:
    """What the service has of a dataflow."""
    agency, identifier, version = site.flows.get(flow, f"{library.agency},{flow},{VERSION}").split(",")
    known = {name.removeprefix(f"{flow} "): value for name, value in validators.items() if name.startswith(f"{flow} ")}
    path = _PATH[site.api].format(agency=agency, id=identifier, version=version)
    accept = _ACCEPT.format(csv=_CSV, xml=_XML, api=site.api)
    return web.get(path, cap=web.limits.file_bytes, validators=known, accept=accept)


def _tables(
    content: bytes, site: Site, flow: Dataflow, kept: Kept, bench: gather.Bench
) -> tuple[dict[Key, Taken], dict[Key, Text]]:
    """The tables of an answer by country, and what is wrong with others."""
    tables: dict[Key, Taken] = {}
    faults: dict[Key, Text] = {}
    try:
        parts = dict(_by_area(_observations(content, flow, site), flow, site))
    except InputError as error:
        return {}, {(area, flow.id): error.text() for area in site.areas}
    for area, frame in parts.items():
        key, before = (area, flow.id), kept.state.tables.get((area, flow.id))
        table = frame.drop(columns=list(CELL)).to_csv(index=False, lineterminator="\n").encode()
        if before is not None and before.files[TABLE] == hashlib.sha256(table).hexdigest():
            files = dict(before.files)  # the same figures, whenever they are asked for
        else:
            contents = {TABLE: table, **_told(frame, key, site, bench, hashlib.sha256(content).hexdigest())}
            files = {name: kept.take(each) for name, each in contents.items()}
        fault = gather.unfit(key, files, kept, bench)
        if fault is not None:
            faults[key] = fault.text()
        elif before is not None and before.files == files and before.common == bench.common:
            tables[key] = before
        else:
            tables[key] = Taken(files, f"{bench.day}.1", bench.moment, bench.common)
    return tables, faults


def _by_area(frame: pd.DataFrame, flow: Dataflow, site: Site) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of each country that the service speaks for, in the order of the structure."""
    if "REF_AREA" not in frame:
        raise InputError("{flow}: it has no column {column}.", flow=flow.id, column="REF_AREA")
    names = [name for name in flow.structure.components if name in frame]
    others = [name for name in frame if name not in names and name not in CELL]
    for area in site.areas:
        part = frame[frame["REF_AREA"] == area]
        if len(part):
            yield area, part[[*names, *others, *CELL]].reset_index(drop=True)


def _observations(content: bytes, flow: Dataflow, site: Site) -> pd.DataFrame:
    """Every observation as text, with the row and column that it stands in."""
    plain = content.removeprefix(b"\xef\xbb\xbf")
    frame = _of_message(plain, flow) if plain.lstrip()[:1] == b"<" else fit.text(plain, flow.id)
    column = list(frame).index("OBS_VALUE") + 1 if "OBS_VALUE" in frame else 1
    if "ACTION" in frame and not frame["ACTION"].isin(["I", "R", "A", "M"]).all():
        raise InputError("{flow}: it takes observations back, and does not say them all.", flow=flow.id)
    frame = frame.drop(columns=[name for name in _OF_MESSAGE if name in frame])
    frame = frame.drop(columns=[name for name, ours in site.columns.items() if not ours and name in frame])
    frame = frame.rename(columns={name: ours for name, ours in site.columns.items() if ours})
    if frame.columns.has_duplicates:
        raise InputError("{file}: a heading stands twice.", file=flow.id)
    for name, value in {**_WHERE_NOTHING_IS_SAID, **site.values}.items():
        frame[name] = frame[name].replace("", value) if name in frame else value
    return frame.assign(table=0, row=range(2, len(frame) + 2), column=column)


def _of_message(content: bytes, flow: Dataflow) -> pd.DataFrame:
    """The observations of a message in SDMX-ML, read by sdmx1."""
    import sdmx  # slow to import

    parts: list[Any] = []
    if b"<!DOCTYPE" in content or b"\x00" in content[:1000]:
        raise InputError("{flow}: a message in XML may have no DOCTYPE, and must be in UTF-8.", flow=flow.id)
    try:
        message = sdmx.read_sdmx(io.BytesIO(content))
        parts += [sdmx.to_pandas(each, attributes="osgd") for each in getattr(message, "data", ()) if len(each)]
    except Exception as error:  # noqa: BLE001  whatever the reader makes of what a stranger sends
        raise InputError(
            "{flow}: it is no message of data that can be read ({error}).", flow=flow.id, error=type(error).__name__
        ) from None
    if not parts:
        return pd.DataFrame({"REF_AREA": [], "OBS_VALUE": []}, dtype="str")
    found: pd.DataFrame = pd.concat([each.rename(columns={"value": "OBS_VALUE"}).reset_index() for each in parts])
    numbers = pd.to_numeric(found["OBS_VALUE"], errors="coerce")
    found["OBS_VALUE"] = numbers.map("{:.15g}".format).where(numbers.notna(), "")
    text = found.astype("str").where(found.notna(), "")
    return fit.text(text.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_MINIMAL).encode(), flow.id)


def _told(frame: pd.DataFrame, key: Key, site: Site, bench: gather.Bench, sha256: str) -> dict[str, bytes]:
    """The reference metadata and the source cells of a table, as far as a service without them lets us know."""
    (area, _), library = key, bench.library
    flow = library.dataflows[key[1]]
    fields: dict[str, Text] = {
        "CONTACT_ORGANISATION": dict.fromkeys(LANGUAGES, site.name),
        "DATA_DESCR": flow.description,
        "ONLINE_DB": dict.fromkeys(LANGUAGES, site.address),
    }
    missing = tuple(each.id for each in library.fields.values() if each.obligation == "M" and each.id not in fields)
    licence = library.licences[site.licence]
    source = {"title": site.name, "path": site.address, "provider": "", "licence": site.licence}
    title = {lang: f"{flow.name[lang]}: {library.area_name(area)[lang]}" for lang in flow.name}
    said = Description(
        area=area,
        flow=flow.id,
        title=title,
        fields=fields,
        missing=missing,
        licences=(licence,),
        sources=(source,),
        vintage=f"{bench.day}.1",
        last_update=bench.day,
        not_known=missing,
    )
    origin = Origin(site.address, "", sha256, "", site.licence, {}, {})
    record: dict[str, Any] = {
        "description": asdict(said),
        "origins": [{name: getattr(origin, name) for name in ("file", "sheet", "sha256", "provider", "licence")}],
        "suppressed": {},
    }
    cells = io.BytesIO()
    write_parquet(pa.Table.from_pandas(frame[list(CELL)].astype("int32"), preserve_index=False), cells)
    return {RECORD: as_json(record), LINEAGE: cells.getvalue()}
