"""The pages of the release under build/public: CPU milliseconds a page beside a bare template, and the whole site.

    .venv/bin/python bench/pages.py [COUNTRIES]

Run after `make publish`. With a number, as many countries of the world have tables, each the first rows of those of
one of the release's. Lines: the figures that pages draw, worked out once; all pages in every language with
their records; the index of their texts; and the floor, a page with a table of 35 rows from a bare Jinja2 template.
"""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import replace
from itertools import cycle
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT)]

from jinja2 import Environment  # noqa: E402

from pipeline import across, catalogue, previous, report, united  # noqa: E402
from pipeline import library as library_  # noqa: E402
from pipeline import settings as settings_  # noqa: E402
from pipeline.catalogue import view  # noqa: E402
from pipeline.formats import formats  # noqa: E402
from pipeline.model import Library, Package, Release, Settings, Written  # noqa: E402

FLOOR = """<!doctype html><html lang="en"><head><title>{{ title }}</title></head><body><table>
{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}</table></body></html>"""
PAGES = 1000
ROWS = 300


def standing(library: Library, settings: Settings) -> Release:
    """The release that stands, as the pages see it."""
    packages, reports = [], {}
    for area in settings.areas:
        for series in library.countries[area].series.values():
            kept = previous.load(ROOT / "build/public", library.dataflows[series.flow], area)
            if kept is not None:
                packages.append(
                    united.standing(kept, united.stood(kept, series.area, series.flow, library), library, formats=[])
                )
                if kept.report:
                    reports[area, series.flow] = report.restored(kept.report)
    whole = united.wholes(packages, library)
    return Release(tuple(packages), reports, {}, whole, {}, across.compare(whole, library))


def worldwide(release: Release, library: Library, settings: Settings, count: int) -> tuple[Release, Library, Settings]:
    """The release as if `count` countries had delivered: those that did, and others with tables like theirs."""
    areas = library.list_of("REF_AREA")
    assert areas is not None
    others = [code for code, each in areas.codes.items() if len(code) == 2 and code not in settings.areas]
    like = dict(zip(others[: count - len(settings.areas)], cycle(settings.areas), strict=False))
    packages, countries = list(release.packages), dict(library.countries)
    for area, known in like.items():
        countries[area] = replace(countries[known], area=area)
        packages += [_moved(each, area) for each in release.packages if each.data.area == known]
    library = replace(library, countries=countries)
    whole = united.wholes(packages, library)
    release = replace(release, packages=tuple(packages), whole=whole, compared=across.compare(whole, library))
    return release, library, replace(settings, areas=(*settings.areas, *like))


def _moved(package: Package, area: str) -> Package:
    """The first rows of the package as those of another country: it is the pages that are measured, not the data."""
    frame = package.data.frame.head(ROWS)
    frame = frame.assign(REF_AREA=frame["REF_AREA"].cat.rename_categories({package.data.area: area}))
    data, description = replace(package.data, area=area, frame=frame), replace(package.description, area=area)
    return replace(package, data=data, description=description, files={})


def main() -> None:
    """Measure and print."""
    library = library_.load(ROOT)
    settings = settings_.settings(ROOT / "publish.toml", library, formats=formats())
    release = standing(library, settings)
    if len(sys.argv) > 1:
        release, library, settings = worldwide(release, library, settings, int(sys.argv[1]))
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{len(release.packages)} tables of {len(settings.areas)} countries: {held:.0f} MiB before any page")
    written = {
        path.relative_to(ROOT / "build/public").as_posix(): Written(path.stat().st_size, "0" * 64)
        for folder in ("files", "packages", "reports")
        for path in (ROOT / "build/public" / folder).rglob("*")
        if path.is_file()
    }
    before = time.process_time()
    view.catalogue(release, library, settings, formats=formats(), written=written, site=ROOT / "site")
    print(f"figures of {len(release.packages)} tables: {time.process_time() - before:.1f} CPU s")
    before, wall, count, size = cpu(), time.perf_counter(), 0, 0
    for path, content in catalogue.pages(release, library, settings, site=ROOT / "site", written=written):
        count += path.endswith(".html")
        size += len(content)
    spent, wall = cpu() - before, time.perf_counter() - wall
    peak, worker = (resource.getrusage(e).ru_maxrss / 1024 for e in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(
        f"{count} pages: {spent:.1f} CPU s, {wall:.1f} s, {1000 * spent / count:.1f} CPU ms a page, {size / 1e6:.0f} MB"
    )
    print(f"peak of memory: {peak:.0f} MiB, and {worker:.0f} of the largest worker, most of them shared")
    template = Environment(autoescape=True).from_string(FLOOR)
    rows = [[f"cell {column}" for column in range(6)] for _ in range(35)]
    before = cpu()
    for number in range(PAGES):
        template.render(title=number, rows=rows)
    print(f"floor, a bare template of 35 rows: {1000 * (cpu() - before) / PAGES:.2f} CPU ms a page")


def cpu() -> float:
    """CPU seconds of this process and of those that it waited for."""
    own, children = (resource.getrusage(each) for each in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    main()
