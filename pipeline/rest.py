"""The release as a static SDMX REST tree: where each answer stands so that real clients find it.

Every address is a folder with an index document, for clients ask it with and without a slash at the
end and as a prefix of longer addresses. One base answers in one format (SDMX REST 1.5: `v1`, in
SDMX-ML 2.1; SDMX REST 2.x: `v2`, in SDMX-JSON and SDMX-CSV). A static host cannot filter by query
string, so whole dataflows and the keys that people ask, one country at a time, are laid out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.framework import Dataflow

_V2 = (("csv", "v2", "csv"), ("ml30", "v2xml", "xml"))  # data format, base, ending of the index document
_VERSIONS = ("1.0.0", "+", "~", "*")


def data_paths(flow: Dataflow, agency: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield (format id, addresses) under which a whole dataflow is asked."""
    dots = "." * (len(flow.structure.dimensions) - 1)
    yield "ml21", _v1_paths(flow, agency, ("", "/all", "/all/all", f"/{dots}"))
    for form, base, ending in _V2:
        yield form, _v2_paths(flow, agency, base, ("", "/*"), ending)


def area_paths(
    flow: Dataflow, agency: str, area: str, frequencies: Sequence[str] = ("",)
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield (format id, addresses) under which the rows of one reference area are asked.

    A key may name a frequency too; a blank one is any.
    """
    dimensions = flow.structure.dimensions
    keys = [{"REF_AREA": area, **({"FREQ": frequency} if frequency else {})} for frequency in frequencies]
    dotted, starred = (
        tuple("/" + ".".join(key.get(name, blank) for name in dimensions) for key in keys) for blank in ("", "*")
    )
    yield "ml21", _v1_paths(flow, agency, dotted)
    for form, base, ending in _V2:
        yield form, _v2_paths(flow, agency, base, starred, ending)


def _v1_paths(flow: Dataflow, agency: str, keys: tuple[str, ...]) -> tuple[str, ...]:
    names = [flow.id, *(f"{agency},{flow.id}{version}" for version in ("", ",latest", ",1.0", ",1.0.0"))]
    return tuple(f"sdmx/v1/data/{name}{key}/index.xml" for name in names for key in keys)


def _v2_paths(flow: Dataflow, agency: str, base: str, keys: tuple[str, ...], ending: str) -> tuple[str, ...]:
    return tuple(
        f"sdmx/{base}/data/{context}/{agency}/{flow.id}/{version}{key}/index.{ending}"
        for context in ("dataflow", "*")
        for version in _VERSIONS
        for key in keys
    )
