"""Addresses of the static SDMX REST tree."""

from __future__ import annotations

from pipeline import rest
from pipeline.model import Library


def test_a_key_may_name_the_frequency_and_leave_the_rest(library: Library) -> None:
    flow = library.dataflows["DF_REMIT"]  # FREQ, REF_AREA and five more
    found = dict(rest.area_paths(flow, "MIGLAC", "CL", ("", "Q")))
    for path in ("sdmx/v1/data/DF_REMIT/.CL...../index.xml", "sdmx/v1/data/MIGLAC,DF_REMIT,1.0/Q.CL...../index.xml"):
        assert path in found["ml21"]
    for version in ("1.0.0", "+", "~", "*"):
        assert f"sdmx/v2/data/dataflow/MIGLAC/DF_REMIT/{version}/Q.CL.*.*.*.*.*/index.csv" in found["csv"]
        assert f"sdmx/v2xml/data/*/MIGLAC/DF_REMIT/{version}/*.CL.*.*.*.*.*/index.xml" in found["ml30"]


def test_no_address_stands_twice(library: Library) -> None:
    flow = library.dataflows["DF_BORDER"]
    every = [path for _, paths in rest.data_paths(flow, "MIGLAC") for path in paths]
    for frequencies in (("",), ("A",), ("M",)):
        every += [path for _, paths in rest.area_paths(flow, "MIGLAC", "CL", frequencies) for path in paths]
    assert len(every) == len(set(every))
