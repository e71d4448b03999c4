"""Which sites are gathered: addresses on the command line, or a list that also says whose they are and their keys."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipeline.errors import SetupError, Told
from pipeline.framework import LANGUAGES, Text
from pipeline.library import authored
from pipeline.library.authored import refuse
from pipeline.model import Library

LIST = "hub.toml"
_SITE = ("address", "agency", "key", "areas", "api", "licence", "flows", "columns", "values")
_APIS = ("1", "2")
_FLOW = re.compile(r"[A-Za-z0-9_.@$-]+,[A-Za-z0-9_@$-]+,[0-9A-Za-z.+~*-]+")
_HUB = ("title", "base_url", "site", "limits")


@dataclass(frozen=True)
class Site:
    """A published place. `key` is the public key that it must be signed with, in PEM; `areas` the countries that it
    speaks for, all that it publishes where none is said.

    With `api`, 1 or 2, it is a plain SDMX service of that REST version, and what it has is under `licence`. `flows`
    says by our dataflow how the service calls its own (agency,id,version), `columns` how we call a column of its
    (blank: it is left out), `values` what holds where it says nothing.
    """

    address: str  # ends with a slash
    agency: str = ""
    key: bytes = b""
    areas: tuple[str, ...] = ()
    api: str = ""
    licence: str = ""
    flows: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """Scheme, name and port: one host is asked one thing at a time."""
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}"

    def speaks_for(self, area: str) -> bool:
        """Whether what it publishes of a country is its own."""
        return not self.areas or area in self.areas

    @property
    def name(self) -> str:
        """Whose site it is, as far as that is said."""
        return self.agency or self.address

    @property
    def folder(self) -> str:
        """A name for its files that no other site has."""
        readable = re.sub(r"[^a-z0-9]+", "-", self.address.lower().partition("://")[2]).strip("-")[:60]
        return f"{readable}-{hashlib.sha256(self.address.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class Limits:
    """How gently sites are asked, and how much of them is taken."""

    hosts_at_once: int = 8
    interval_seconds: float = 0.1  # between two requests to one host
    connect_seconds: float = 10
    read_seconds: float = 30  # without a byte
    site_seconds: float = 900  # everything of one site
    attempts: int = 4
    wait_seconds: float = 60  # the longest wait before another attempt, whatever the host asks for
    file_bytes: int = 2**29
    manifest_bytes: int = 2**26


@dataclass(frozen=True)
class Hub:
    """What is gathered, and under which name and address it goes out where that is not as in `publish.toml`."""

    sites: tuple[Site, ...]
    title: Text = field(default_factory=dict)
    base_url: str = ""
    limits: Limits = field(default_factory=Limits)


def hub(root: Path, urls: str) -> Hub:
    """The sites that the command line names, those of the list that it names with `@`, or those of `hub.toml`.

    Raises:
        SetupError: there are none, or what is said of one cannot be.
    """
    names = urls.replace(",", " ").split() or ([f"@{LIST}"] if (root / LIST).exists() else [])
    found = Hub(())
    for name in names:
        if name.startswith("@"):
            each = _listed(root / name[1:])
            found = replace(each, sites=(*found.sites, *each.sites))
        else:
            found = replace(found, sites=(*found.sites, Site(_address(name))))
    if not found.sites:
        raise SetupError(
            "say which sites to gather: their addresses, or @ and the file that lists them, such as: "
            "python -m pipeline harvest --urls https://one.example/ or --urls @{file}",
            file=LIST,
        )
    once: dict[str, Site] = {}
    for site in found.sites:
        once.setdefault(site.address, site)
    return replace(found, sites=tuple(once.values()))


def check(hub: Hub, library: Library) -> None:
    """Whether what is said of SDMX services is of our framework.

    Raises:
        SetupError: a licence or a dataflow is not.
    """
    for site in hub.sites:
        if site.api and site.licence not in library.licences:
            raise SetupError(
                '{address}: "{licence}" is not a licence of metadata/licences.csv.',
                address=site.address,
                licence=site.licence,
            )
        unknown = [flow for flow in site.flows if flow not in library.dataflows]
        if unknown:
            raise SetupError(
                "{address}: {flows} are not dataflows of ours; the names on the left are.",
                address=site.address,
                flows=", ".join(unknown),
            )


def _listed(path: Path) -> Hub:
    """The sites of a file: TOML, or one address a line."""
    if path.suffix != ".toml":
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            raise SetupError("{file}: there is no such file.", file=path) from None
        addresses = (line.partition("#")[0].strip() for line in lines)
        return Hub(tuple(Site(_address(each)) for each in addresses if each))
    table = authored.toml(path)
    authored.keys(path, table, _HUB, ("site",))
    if table.get("title") and not set(LANGUAGES) <= table["title"].keys():
        refuse(path, None, f"title must have all of the languages {', '.join(LANGUAGES)}")
    sites, address = tuple(_sites(path, table["site"])), authored.base_url(path, table)
    return Hub(sites, table.get("title", {}), address, _limits(path, table))


def _sites(path: Path, tables: list[Mapping[str, Any]]) -> Iterator[Site]:
    for table in tables:
        authored.keys(path, table, _SITE, ("address",))
        _check_service(path, table)
        yield Site(
            _address(table["address"]),
            key=_key(path, path.parent / table["key"]) if table.get("key") else b"",
            areas=tuple(table.get("areas", ())),
            **{
                name: table[name]
                for name in ("agency", "api", "licence", "flows", "columns", "values")
                if name in table
            },
        )


def _check_service(path: Path, table: Mapping[str, Any]) -> None:
    """What a plain SDMX service must say, and no other site may."""
    address = table["address"]
    if table.get("api", "") not in ("", *_APIS):
        refuse(path, None, Told("{address}: `api` must be one of {known}", address=address, known=", ".join(_APIS)))
    extra = [name for name in ("licence", "flows", "columns", "values") if name in table]
    if "api" not in table and extra:
        refuse(
            path,
            None,
            Told("{address}: {names} are of SDMX services, which say `api`", address=address, names=", ".join(extra)),
        )
    if "api" in table and not (table.get("areas") and table.get("licence")):
        refuse(path, None, Told("{address}: an SDMX service needs `areas` and `licence`", address=address))
    wrong = [of for of in table.get("flows", {}).values() if not _FLOW.fullmatch(str(of))]
    if wrong:
        refuse(
            path,
            None,
            Told(
                "{address}: {found} must be written agency,id,version",
                address=address,
                found=", ".join(map(str, wrong)),
            ),
        )


def _key(path: Path, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        refuse(path, None, Told("the key {file} cannot be read", file=file.name))


def _limits(path: Path, table: Mapping[str, Any]) -> Limits:
    said = table.get("limits", {})
    authored.keys(path, said, [each.name for each in fields(Limits)])
    for name, value in said.items():
        if not isinstance(value, int | float) or value < 0:
            refuse(path, None, Told('{name}: "{value}" must be a number that is not negative', name=name, value=value))
    return Limits(**said)


def _address(text: str) -> str:
    if not authored.is_address(text) or urlsplit(text).username or urlsplit(text).password:
        raise SetupError(
            '"{address}" is not the address of a site: write http:// or https://, its name and perhaps a folder, '
            "without a user, a query or a mark.",
            address=text,
        )
    parts = urlsplit(text)
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}/"
