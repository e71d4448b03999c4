"""What a dataflow may hold and what it holds: constraints (SDMX 2.1 section 2 §10.2, SDMX 3.0 section 2 §12)."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from typing import Any

from sdmx.model import common, v21

from pipeline.errors import SetupError
from pipeline.framework import Dataflow


def allowed(authored: Dataflow, flow: v21.DataflowDefinition, own: Mapping[str, Any]) -> v21.ContentConstraint:
    """The allowed content of a dataflow.

    SDMX 3.0 has one included and one excluded region (DataConstraintType), and clients take several
    included ones for their intersection. So a union of regions is said as what they share, less what
    none of them allows: A or B is everything that is not both outside A and outside B.

    Raises:
        SetupError: a region adds more than one component to what all regions share.
    """
    first, *others = authored.regions
    shared = {id_: codes for id_, codes in first.items() if all(each.get(id_) == codes for each in others)}
    allowed_by_one: dict[str, set[str]] = {}
    for region in authored.regions if others else ():
        extra = {id_: codes for id_, codes in region.items() if id_ not in shared}
        if len(extra) != 1:
            raise SetupError(
                "dsd/{flow}/structure.toml: a [[region]] must add exactly one component to what is allowed in all; "
                "one adds {found}. SDMX cannot say other unions.",
                flow=authored.id,
                found=", ".join(sorted(extra)) or "none",
            )
        for id_, codes in extra.items():
            allowed_by_one.setdefault(id_, set()).update(codes)
    lists = {each.id: each.codelist.codes for each in authored.structure.components.values() if each.codelist}
    included = {id_: [code for code in lists[id_] if code in shared[id_]] for id_ in lists if id_ in shared}
    excluded = {
        id_: [code for code in lists[id_] if code not in allowed_by_one[id_]] for id_ in lists if id_ in allowed_by_one
    }
    regions = [_region(flow, included), _region(flow, excluded, is_included=False)]
    return v21.ContentConstraint(
        id=f"CC_{authored.id}",
        name=authored.name,
        role=common.ConstraintRole(role=common.ConstraintRoleType.allowable),
        content={flow},
        data_content_region=[region for region in regions if region.member],
        **own,
    )


def actual(
    flow: v21.DataflowDefinition,
    values: Mapping[str, Sequence[str]],
    own: Mapping[str, Any],
    *,
    series: int,
    observations: int,
) -> v21.ContentConstraint:
    """What is there (SDMX REST, availability): the codes used in each dimension and the span of time.

    The counts stand in the annotations that registries use for them.
    """
    periods = values.get("TIME_PERIOD", ())
    region = _region(flow, {id_: codes for id_, codes in values.items() if id_ != "TIME_PERIOD"})
    if periods:
        time = flow.structure.dimensions.get("TIME_PERIOD")
        first, last = zip(*map(days, periods), strict=True)
        # As days, which order years, quarters and months among each other. sdmx1 wants datetimes; the
        # writers write the text.
        span = v21.RangePeriod(
            start=common.StartPeriod(is_inclusive=True, period=min(first)),
            end=common.EndPeriod(is_inclusive=True, period=max(last)),
        )
        region.member[time] = v21.MemberSelection(values_for=time, values=[span])
    counts = {"series_count": series, "obs_count": observations}
    return v21.ContentConstraint(
        id=f"CC_{flow.id}_ACTUAL",
        name=flow.name,
        annotations=[v21.Annotation(id=key, type="sdmx_metrics", title=str(count)) for key, count in counts.items()],
        role=common.ConstraintRole(role=common.ConstraintRoleType.actual),
        content={flow},
        data_content_region=[region] if region.member else [],
        **own,
    )


def days(period: str) -> tuple[str, str]:
    """The first and last day of a year, quarter or month: `2024-Q1` → (`2024-01-01`, `2024-03-31`)."""
    year, _, part = period.partition("-")
    if part.startswith("Q"):
        first, last = 3 * int(part[1:]) - 2, 3 * int(part[1:])
    else:
        first, last = (int(part), int(part)) if part else (1, 12)
    return f"{year}-{first:02}-01", f"{year}-{last:02}-{monthrange(int(year), last)[1]}"


def _region(
    flow: v21.DataflowDefinition, values: Mapping[str, Sequence[str]], *, is_included: bool = True
) -> common.CubeRegion:
    dsd = flow.structure
    # sdmx1 says dimensions; attributes may be constrained too (SDMX 2.1 section 2 §10.2).
    components: dict[str, Any] = {c.id: c for c in (*dsd.dimensions.components, *dsd.attributes.components)}
    return common.CubeRegion(
        included=is_included,
        member={
            components[id_]: v21.MemberSelection(
                values_for=components[id_], values=[v21.MemberValue(value=code) for code in codes]
            )
            for id_, codes in values.items()
        },
    )
