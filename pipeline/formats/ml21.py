"""SDMX-ML 2.1 structure-specific data."""

from __future__ import annotations

from functools import partial

from pipeline.formats import Format
from pipeline.formats.ml import Version, write
from pipeline.structures import xsd


def _usage(agency: str, flow: str) -> str:
    return f'<Ref agencyID="{agency}" id="{flow}" version="1.0.0"/>'


VERSION = Version(xsd.V21, _usage)

FORMAT = Format(
    id="ml21",
    folder="files",
    file="data.xml",
    media_type="application/vnd.sdmx.structurespecificdata+xml;version=2.1",
    label=dict.fromkeys(("en", "es", "pt"), "SDMX-ML 2.1"),
    write=partial(write, VERSION),
)
