"""Which pages of a release stand for all of their kind: for the tests in a browser and for the benchmarks."""

from __future__ import annotations

import json
from pathlib import Path


def of_middle_size(public: Path, lang: str) -> dict[str, str]:
    """The page of middle size of each kind, by kind: its folder below the release, with a slash at the end."""
    found: dict[str, list[tuple[int, str]]] = {}
    for record in (public / lang).rglob("index.json"):
        kind = json.loads(record.read_text(encoding="utf-8"))["kind"]
        page = record.with_name("index.html")
        found.setdefault(kind, []).append((page.stat().st_size, f"{page.parent.relative_to(public).as_posix()}/"))
    return {kind: sorted(pages)[len(pages) // 2][1] for kind, pages in sorted(found.items())}
