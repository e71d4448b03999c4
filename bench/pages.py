"""The pages of the release under build/public: CPU milliseconds a page beside a bare template, and the whole site.

Run after `make publish`. Lines: the figures that pages draw, worked out once; all pages in every language with
their records; the index of their texts; and the floor, a page with a table of 35 rows from a bare Jinja2 template.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT)]

from jinja2 import Environment  # noqa: E402

from pipeline import across, catalogue, previous, report, united  # noqa: E402
from pipeline import library as library_  # noqa: E402
from pipeline import settings as settings_  # noqa: E402
from pipeline.catalogue import view  # noqa: E402
from pipeline.formats import formats  # noqa: E402
from pipeline.model import Library, Release, Settings, Written  # noqa: E402

FLOOR = """<!doctype html><html lang="en"><head><title>{{ title }}</title></head><body><table>
{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}</table></body></html>"""
PAGES = 1000


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
    flows = dict.fromkeys(each.data.flow.id for each in packages)
    whole = {flow: united.together([p for p in packages if p.data.flow.id == flow], library) for flow in flows}
    return Release(tuple(packages), reports, {}, whole, {}, across.compare(whole, library))


def main() -> None:
    """Measure and print."""
    library = library_.load(ROOT)
    settings = settings_.settings(ROOT / "publish.toml", library, formats=formats())
    release = standing(library, settings)
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
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{count} pages: {spent:.1f} CPU s, {wall:.1f} s, {1000 * spent / count:.1f} CPU ms a page, {size / 1e6:.0f} MB, peak {peak:.0f} MiB"
    )
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
