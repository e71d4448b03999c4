"""`make harvest`: visit the sites, keep what they have new, and publish the region to build/hub/public."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pipeline import library, publish, releases, reuse, signature
from pipeline.catalogue.sites import PATH
from pipeline.formats import formats
from pipeline.framework import Text
from pipeline.hub import many, region
from pipeline.hub.gather import Bench, Visit
from pipeline.hub.kept import Key
from pipeline.hub.sites import check, hub
from pipeline.settings import settings
from pipeline.texts import said, texts


def now() -> datetime:
    """The moment of the run: that of SOURCE_DATE_EPOCH where it is set."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(given), UTC) if given else datetime.now(UTC).replace(microsecond=0)


def harvest(root: Path, *, urls: str) -> int:
    """Gather the sites and publish what is new; 1 when one could not be reached or a table was not taken."""
    loaded, every = library.load(root), formats()
    chosen = settings(root / "publish.toml", loaded, formats=every)
    asked, key, build = hub(root, urls), signature.signing_key(), root / "build/hub"
    check(asked, loaded)
    ours = replace(chosen, flows=(), embargo="", title=asked.title or chosen.title)
    ours = replace(ours, base_url=asked.base_url or chosen.base_url)
    bench, say = Bench(loaded, reuse.common(root), now(), chosen.language), texts("hub", chosen.language)
    with publish.building(build) as folder:
        visits = many.gather_all(asked, build / "sites", bench, contact=ours.base_url, said=say["visiting"])
        tables, left = region.choose(visits)
        for line in _told(visits, left, say, chosen.language):
            print(line)
        areas = tuple(area for area in loaded.countries if any(area == of for of, _ in tables))
        ours = replace(ours, areas=areas)
        code = int(bool(left) or any(each.fault or each.state.held for each in visits))
        # How every site fared this time, whether or not that makes a release.
        (build / PATH).write_bytes(region.sources(visits, left))
        this = region.identity(tables, bench.common, ours)
        if not tables:
            print(say["nothing"], file=sys.stderr)
            return 1
        if reuse.standing_code(build, this) is not None:
            print(say["unchanged"])
            return code
        past = releases.past(build / "public")
        ours = replace(ours, release=region.next_release(past, bench.day))
        parts, forms = reuse.parts(root, build), {name: form for name, form in every.items() if name in ours.formats}
        made = region.release(
            *(tables, visits, left, loaded, ours), sites=build / "sites", formats=forms, said=say["reading"]
        )
        publish.publish(*(made, loaded, ours), formats=forms, site=root / "site", folder=folder, past=past, parts=parts)
        publish.check(folder, checked=parts.kept)
        if key is not None:
            signature.sign(folder, key)
        publish.swap(folder, build / "public")
        reuse.remember(build, parts, this, code=code)
        print(say["published"].format(release=ours.release, tables=len(made.packages), areas=len(areas)))
    return code


def _told(
    visits: Sequence[Visit], left: Mapping[tuple[str, Key], Text], say: Mapping[str, str], language: str
) -> Iterator[str]:
    """What came of each site that has something new or something wrong, and the sum of it."""
    for visit in visits:
        name, state = visit.site.name, visit.state
        if visit.fault:
            yield say["fault"].format(site=name, fault=said(visit.fault, language))
            if state.tables:
                yield say["stays"].format(release=state.release, tables=len(state.tables))
        if visit.taken or visit.gone:
            new, gone = (", ".join(" ".join(key) for key in keys) for keys in (visit.taken, visit.gone))
            yield say["new"].format(site=name, release=state.release, signature=say[state.signature], tables=new or "–")
            if gone:
                yield say["gone"].format(tables=gone)
        others = {key: why for (at, key), why in left.items() if at == visit.site.address}
        for (area, flow), why in {**state.held, **others}.items():
            yield say["held"].format(site=name, area=area, flow=flow, fault=said(why, language))
        if state.unknown:
            yield say["unknown"].format(site=name, names=", ".join(state.unknown))
    requests, size = many.totals(visits)
    heard = sum(not visit.fault for visit in visits)
    yield say["visited"].format(sites=len(visits), heard=heard, requests=requests, bytes=size)
