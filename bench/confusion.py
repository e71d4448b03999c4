"""Which code is found when one violation of each rule is injected into the valid table of each dataflow."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import mutations  # noqa: E402  # a module of the tests

from pipeline import library  # noqa: E402


def main() -> None:
    """Print a line for each rule: injections found with their own code alone, and what else was found."""
    table = mutations.confusion(mutations.chile(library.load(ROOT)))
    for rule, found in sorted(table.items()):
        others = " ".join(f"{code} {count}" for code, count in sorted(found.items()) if code != rule)
        print(f"{rule}  {found.get(rule, 0):3d}  {others or '-'}")
    right = sum(found.get(rule, 0) for rule, found in table.items())
    wrong = sum(count for rule, found in table.items() for code, count in found.items() if code != rule)
    print(f"{len(table)} rules: {right} injections found with their code, {wrong} other codes")


if __name__ == "__main__":
    main()
