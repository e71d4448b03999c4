"""The picture of docs/architecture.md, drawn from what imports what, so that it cannot say otherwise."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

PAGE = "docs/architecture.md"
_BEGIN, _END = "<!-- drawn by `make docs` -->", "<!-- end of what is drawn -->"
_STAGES = ("read", "recode", "validate", "protect", "describe", "package", "publish")
_OTHERS = ("run", "united", "model", "framework")


def page(root: Path) -> str:
    """The page with its picture drawn anew."""
    before, rest = (root / PAGE).read_text(encoding="utf-8").split(_BEGIN)
    return f"{before}{_BEGIN}\n\n```mermaid\n{drawing(root / 'pipeline')}\n```\n\n{_END}{rest.split(_END)[1]}"


def drawing(package: Path) -> str:
    """Stages, packages and what they stand on as a Mermaid graph: an arrow says that one needs another.

    Modules that are no box of their own are passed through, and what follows from other arrows is left out.
    """
    imports = {name: set(_imported(path)) for name, path in _modules(package)}
    boxes = {*_STAGES, *_OTHERS, *(each.parent.name for each in package.glob("*/__init__.py"))}
    of = {name: name.split(".")[0] for name in imports}
    needs = {box: _reached(box, boxes, imports, of) for box in sorted(boxes)}
    lines = ["graph TD"]
    lines += [f"  subgraph stages\n    {' ~~~ '.join(_STAGES)}\n  end"]
    lines += [
        f"  {box} --> {other}" for box, others in needs.items() for other in sorted(_shortest(box, others, needs))
    ]
    return "\n".join(lines)


def _modules(package: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(package.rglob("*.py")):
        yield ".".join(path.relative_to(package).with_suffix("").parts).removesuffix(".__init__"), path


def _imported(path: Path) -> Iterator[str]:
    """Modules of ours that a module imports, at its head or in a function, and what they are imported for."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "pipeline":
            inside = (node.module or "").partition(".")[2]
            for each in node.names:
                yield f"{inside}.{each.name}" if inside else each.name
                yield inside


def _reached(
    box: str, boxes: Collection[str], imports: Mapping[str, Collection[str]], of: Mapping[str, str]
) -> set[str]:
    """The boxes that one needs, through modules that are none."""
    found, seen = set[str](), set[str]()
    waiting = [name for name, own in of.items() if own == box]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for other in imports.get(name, ()):
            owner = other.split(".")[0]
            if owner in boxes:
                found |= {owner} - {box}
            else:
                waiting.append(other)
    return found


def _shortest(box: str, others: Collection[str], needs: Mapping[str, Collection[str]]) -> set[str]:
    """The boxes that are needed, without those that another of them needs and that do not need it back."""
    return {
        other
        for other in others
        if not any(
            other in needs[via] and via not in needs[other] and box not in needs[via] for via in others if via != other
        )
    }
