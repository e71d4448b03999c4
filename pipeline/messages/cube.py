"""The cube regions of a constraint, as each version of SDMX can say them."""

from __future__ import annotations

from typing import NamedTuple

from sdmx.model import v21

from pipeline.errors import SetupError

Values = tuple[str, ...]


class Selection(NamedTuple):
    """The values of one component that a region takes, or leaves out."""

    component: str
    is_included: bool
    values: Values


class Region(NamedTuple):
    is_included: bool
    selections: tuple[Selection, ...]


def union(constraint: v21.ContentConstraint) -> list[Region]:
    """Included regions, of which a key must be in at least one: how 2.1 says it."""
    return [Region(True, tuple(_selections(cube))) for cube in constraint.data_content_region]  # noqa: FBT003


def difference(constraint: v21.ContentConstraint) -> list[Region]:
    """At most one included and one excluded region: all that 3.0 allows (DataConstraint_CubeRegionInclusion).

    A or B, on top of what is common to both, is the common part without what is neither A nor B.

    Raises:
        SetupError: the regions differ in more than one component each, which 3.0 cannot say.
    """
    regions = [dict(zip((s.component for s in r.selections), r.selections, strict=True)) for r in union(constraint)]
    if len(regions) == 1:
        return union(constraint)
    common = {c: s for c, s in regions[0].items() if all(other.get(c) == s for other in regions)}
    own = [[s for c, s in region.items() if c not in common] for region in regions]
    if any(len(selections) != 1 for selections in own):
        raise SetupError(f"{constraint.id}: regions may differ in one component each; SDMX 3.0 can say no more")
    neither = tuple(Selection(s.component, False, s.values) for (s,) in own)  # noqa: FBT003
    return [Region(True, tuple(common.values())), Region(False, neither)]  # noqa: FBT003


def _selections(cube: v21.CubeRegion) -> list[Selection]:
    return [
        Selection(component.id, True, tuple(value.value for value in selection.values))  # noqa: FBT003
        for component, selection in cube.member.items()
    ]
