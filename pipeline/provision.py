"""Provision agreements: how one is called in SDMX, and under which the figures of a package were delivered."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.model import Library, Package


def identifier(flow: str, area: str, provider: str) -> str:
    """The SDMX id of the agreement of a provider to deliver a dataflow of a country."""
    return f"PA_{flow}_{area}_{provider}"


def of(package: Package, library: Library) -> Iterator[str]:
    """The ids of the agreements of those whose figures a package has; not everybody has agreed to something."""
    data = package.data
    agreed = library.countries[data.area].agreements if data.area in library.countries else ()
    for provider in dict.fromkeys(origin.provider for origin in data.sources):
        if (provider, data.flow.id) in agreed:
            yield identifier(data.flow.id, data.area, provider)
