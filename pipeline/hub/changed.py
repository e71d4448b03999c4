"""A table made of the one that is kept and of what the site says that it changed since: less to fetch, same bytes.

The bytes are those of the manifest or they are thrown away, and the table is fetched whole.
"""

from __future__ import annotations

import hashlib
import io
import json

from pipeline import describe, protect, thresholds
from pipeline.formats import table
from pipeline.formats.columns import without_guards
from pipeline.hub.kept import RECORD, TABLE, Kept, Key
from pipeline.hub.listed import Listed, paths
from pipeline.hub.web import Web
from pipeline.model import Library
from pipeline.releases import deltas

_OF_MESSAGE = ("STRUCTURE", "STRUCTURE_ID", "ACTION", *deltas.ON_DATASET)


def rebuilt(key: Key, found: Listed, kept: Kept, web: Web, library: Library) -> bytes:
    """The table as the site has it now; nothing where it cannot be made, or not of less than the whole.

    Raises:
        InputError: the site does not answer.
    """
    before, whole = kept.state.tables.get(key), found.entry(paths(key)[TABLE])
    parts = found.deltas(key, before.release) if before is not None else []
    if before is None or whole is None or not parts or sum(entry.bytes for _, entry in parts) >= whole.bytes:
        return b""
    messages = []
    for path, entry in parts:
        content = web.get(path, cap=entry.bytes).content
        if hashlib.sha256(content).hexdigest() != entry.sha256:
            return b""
        messages.append(content)
    try:
        made = _applied(key, kept.read(before.files[TABLE]), kept.read(before.files[RECORD]), messages, library)
    except (ValueError, KeyError, TypeError, IndexError):  # what a stranger wrote: the whole table will tell
        return b""
    return made if hashlib.sha256(made).hexdigest() == whole.sha256 else b""


def _applied(key: Key, content: bytes, record: bytes, messages: list[bytes], library: Library) -> bytes:
    area, identifier = key
    flow, said = thresholds.flow_of(area, identifier, library), json.loads(record)
    frame = deltas.read(content)
    headings = list(frame.columns)  # a message leaves out those that are blank in every row
    for place, name in enumerate(_OF_MESSAGE[:3]):
        frame.insert(place, name, "")
    for message in messages:
        frame = deltas.applied(frame, deltas.read(message))
    found = [name for name in frame if name not in _OF_MESSAGE]
    frame = frame.reindex(columns=list(dict.fromkeys([*headings, *found])), fill_value="")
    frame = without_guards(frame)
    data = protect.released(frame, said, area, flow, library)
    file = io.BytesIO()
    table.FORMAT.write(data, describe.released(said, library), library, file)
    return file.getvalue()
