"""SDMX-ML 3.0 structure-specific data."""

from __future__ import annotations

from functools import partial

from pipeline.formats import Format
from pipeline.formats.ml import Version, write
from pipeline.structures import xsd


def _usage(agency: str, flow: str) -> str:
    return f"urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow={agency}:{flow}(1.0.0)"


VERSION = Version(xsd.V30, _usage)

FORMAT = Format(
    id="ml30",
    folder="files",
    file="data-3.0.xml",
    media_type="application/vnd.sdmx.data+xml;version=3.0.0",
    label=dict.fromkeys(("en", "es", "pt"), "SDMX-ML 3.0"),
    write=partial(write, VERSION),
)
