"""One site: what it has new is fetched, verified and checked, and then kept; or everything stays as it was."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from pipeline import signature
from pipeline.errors import InputError
from pipeline.framework import Text
from pipeline.hub import changed, fit
from pipeline.hub.kept import REPORT, REVISIONS, TABLE, Kept, Key, State, Taken
from pipeline.hub.listed import Listed, listed, paths
from pipeline.hub.sites import Site
from pipeline.hub.web import Web
from pipeline.model import Library, Written
from pipeline.releases import moment

PINNED, KNOWN, UNSIGNED = "pinned", "known", "unsigned"  # which key a signature was held against
_SIGNATURE_BYTES = 2**14
_LONGER = 2**16  # a file that is a little longer than listed is damaged; one without end is an attack


@dataclass(frozen=True)
class Visit:
    """How a run fared with a site. `fault` says why nothing at all was taken; it is empty where the site was heard."""

    site: Site
    state: State
    fault: Text = field(default_factory=dict)
    taken: tuple[Key, ...] = ()  # what came new
    gone: tuple[Key, ...] = ()  # what the site no longer has
    requests: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Bench:
    """What every site is held against: our framework, its digest, the moment, and the language of messages."""

    library: Library
    common: str
    now: datetime  # in UTC
    language: str

    @property
    def moment(self) -> str:
        return self.now.strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def day(self) -> str:
        return self.now.date().isoformat()


def gather(site: Site, kept: Kept, web: Web, bench: Bench) -> Visit:
    """Take what a site has new. Its state is replaced at the end, at once, or not at all.

    Raises:
        InputError: the site does not answer, or is not what it must be; what is kept of it stays.
    """
    before = kept.state
    is_current = bool(before.manifest) and all(each.common == bench.common for each in before.tables.values())
    manifest, validators = _manifest(site, web, before.validators if is_current else {})
    if is_current and (not manifest or hashlib.sha256(manifest).hexdigest() == before.manifest):
        state = replace(before, robots=web.robots, validators=validators or before.validators)
        return visited(site, kept, web, state)
    found = listed(manifest, site.address)
    _check_order(site, before, found, bench)
    trust, signer = _signed(site, before, manifest, web)
    keys, unknown = found.tables(bench.library)
    tables, held = _tables(site, keys, found, kept=kept, web=web, bench=bench)
    state = State(
        manifest="" if held else hashlib.sha256(manifest).hexdigest(),  # blank: asked for whole the next time
        validators={} if held else validators,
        release=found.release,
        moment=bench.moment,
        signature=trust,
        signer=signer,
        tables=tables,
        held=held,
        unknown=unknown,
        endpoints=found.endpoints,
        robots=web.robots,
    )
    listed_now = {entry.sha256 for key in keys for path in paths(key).values() if (entry := found.entry(path))}
    return visited(site, kept, web, state, also=listed_now)


def _manifest(site: Site, web: Web, validators: Mapping[str, str]) -> tuple[bytes, dict[str, str]]:
    """The manifest with what to ask it by the next time; blank where it is the one that is known."""
    answer = web.get(signature.MANIFEST, cap=web.limits.manifest_bytes, validators=validators)
    if answer.status == 404 or (answer.status == 304 and not validators):
        raise InputError("{address}manifest.json is not there, so this is no release.", address=site.address)
    return answer.content, answer.validators


def visited(site: Site, kept: Kept, web: Web, state: State, *, also: set[str] | None = None) -> Visit:
    """Remember the state of a site after a visit, and say what is new in it."""
    before = kept.state
    web.on_time(site.address)
    kept.remember(state, also=also or set())
    new = (
        key for key, each in state.tables.items() if key not in before.tables or each.files != before.tables[key].files
    )
    gone = before.tables.keys() - state.tables.keys()
    return Visit(site, state, taken=tuple(new), gone=tuple(sorted(gone)), requests=web.requests, bytes=web.bytes)


def _check_order(site: Site, before: State, found: Listed, bench: Bench) -> None:
    """A release follows the one that is known: an older one, even signed, may be played to us again."""
    if before.release and moment(found.release) < moment(before.release):
        raise InputError(
            "{address}: release {found} comes before {known}, which was gathered already. If the office took that one "
            "back, remove build/hub/sites/{folder}.",
            address=site.address,
            found=found.release,
            known=before.release,
            folder=site.folder,
        )
    if moment(found.release)[0] > (bench.now + timedelta(days=1)).date().isoformat():
        raise InputError(
            "{address}: release {found} is dated after today, {today}. One of the two clocks is wrong.",
            address=site.address,
            found=found.release,
            today=bench.day,
        )


def _signed(site: Site, before: State, manifest: bytes, web: Web) -> tuple[str, str]:
    """Which key the signature of a manifest fits, and its checksum; both say so where there is none.

    A site that was signed stays signed, and with the same key, unless the list of sites gives another.
    """
    answer = web.get(signature.SIGNATURE, cap=_SIGNATURE_BYTES)
    if answer.status == 404:
        if site.key or before.signer:
            raise InputError("{address}: the release is not signed, and it must be.", address=site.address)
        return UNSIGNED, ""
    key = site.key or web.get(signature.PUBLIC_KEY, cap=_SIGNATURE_BYTES).content
    signer = hashlib.sha256(key).hexdigest()
    try:
        fits = signature.fits(manifest, answer.content, key)
    except ValueError:
        fits = False
    if not fits:
        raise InputError(
            "{address}: the signature does not fit the manifest and the key. Nothing of the site is taken.",
            address=site.address,
        )
    if not site.key and before.signer and signer != before.signer:
        raise InputError(
            "{address}: the release is signed with another key than before. If the office says that the new one is "
            "its own, name it as `key` of the site in {file}.",
            address=site.address,
            file="hub.toml",
        )
    return PINNED if site.key else KNOWN, signer


# ---------------------------------------------------------------- tables


def _tables(
    site: Site, keys: list[Key], found: Listed, *, kept: Kept, web: Web, bench: Bench
) -> tuple[dict[Key, Taken], dict[Key, Text]]:
    """The tables as they are taken now, and why others are not: of these stays what was taken before."""
    tables: dict[Key, Taken] = {}
    held: dict[Key, Text] = {}
    for key in keys:
        before = kept.state.tables.get(key)
        files = _files(key, found, kept, web, bench) if site.speaks_for(key[0]) else _not_its_own(key)
        fault = files if isinstance(files, InputError) else unfit(key, files, kept, bench)
        if fault is not None:
            held[key] = fault.text()
            tables |= {key: before} if before is not None else {}
        elif isinstance(files, dict):
            is_same = before is not None and before.files == files
            taken = before if is_same and before is not None else Taken(files, found.release, bench.moment, "")
            tables[key] = replace(taken, common=bench.common)
    return tables, held


def _not_its_own(key: Key) -> InputError:
    return InputError("the site does not speak for {area}.", area=key[0])


def _files(key: Key, found: Listed, kept: Kept, web: Web, bench: Bench) -> dict[str, str] | InputError:
    """The files of a table by checksum, fetched where they are not kept already; or what is wrong with one.

    Raises:
        InputError: the site does not answer.
    """
    files: dict[str, str] = {}
    for name, path in paths(key).items():
        entry = found.entry(path)
        if entry is None and name in (REPORT, REVISIONS):
            continue
        if entry is None or entry.bytes > web.limits.file_bytes:
            return InputError("{file} is not in the manifest, or is too long to be taken.", file=path)
        if not kept.has(entry.sha256):
            content = changed.rebuilt(key, found, kept, web, bench.library) if name == TABLE else b""
            content = content or web.get(path, cap=entry.bytes + _LONGER).content
            if Written(len(content), hashlib.sha256(content).hexdigest()) != entry:
                return InputError(
                    "{file} is not what the manifest says: it is damaged, or was exchanged since.", file=path
                )
            kept.take(content)
        files[name] = entry.sha256
    return files


def unfit(key: Key, files: Mapping[str, str], kept: Kept, bench: Bench) -> InputError | None:
    """What holds a table back; what our framework found fit before is fit."""
    before = kept.state.tables.get(key)
    if before is not None and before.files == files and before.common == bench.common:
        return None
    try:
        read = fit.read({name: kept.read(sha256) for name, sha256 in files.items()}, key, bench.library)
        fit.check(read, bench.library, day=bench.day, language=bench.language)
    except InputError as error:
        return error
    return None
