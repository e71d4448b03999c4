"""What a method computes from published figures → a package of the release like any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pipeline import describe
from pipeline.assessed import Profile
from pipeline.computed import Answer, ComputedFlow
from pipeline.delivered import Delivery
from pipeline.formats import Format
from pipeline.framework import Text
from pipeline.model import Country, Layout, Library, Package, Protected, Report, Series, Settings
from pipeline.package import package
from pipeline.report import reason
from pipeline.validate import missing_metadata, validate_release

Key = tuple[str, str]


@dataclass
class Made:
    """All packages of a release with those that were computed, and what is said of these."""

    packages: list[Package]
    reports: dict[Key, Report] = field(default_factory=dict)
    held_back: dict[Key, Text] = field(default_factory=dict)
    records: dict[str, bytes] = field(default_factory=dict)
    answers: tuple[Answer, ...] = ()
    profiles: tuple[Profile, ...] = ()
    deliveries: tuple[Delivery, ...] = ()


@dataclass(frozen=True)
class Publisher:
    """Adds what was computed of one country after the other to what is `made`."""

    made: Made
    library: Library
    settings: Settings
    formats: tuple[Format, ...]

    def packaged(self, data: Protected, report: Report, country: Country) -> Report:
        """Check, describe and package one country's protected table, where it is fit; the report on it."""
        key, day = (data.area, data.flow.id), self.settings.release_day
        left = validate_release(data, self.library, day=day)
        report = replace(report, issues=(*report.issues, *left.issues), applied={**report.applied, **left.applied})
        if not report.is_fit:
            self.made.held_back[key] = reason(report)
            return report
        description = describe.describe(data, country, self.library, report=report, settings=self.settings)
        report = replace(report, issues=(*report.issues, *missing_metadata(description)))
        if report.is_fit:
            self.made.packages.append(package(data, description, self.library, formats=self.formats))
        else:
            self.made.held_back[key] = reason(report)
        return report


def described(country: Country, of: ComputedFlow, file: str, *, below: Sequence[Layout] = ()) -> Country:
    """The country with a series of a computed table, whose rows are the cells of `file`: how that is described, then
    the country's own layouts of it, if any, then those of what it is made of.
    """
    own = country.series.get(of.flow) or Series(country.area, of.flow, (), (), 0, {})
    made = Layout(
        file=file,
        provider=of.provider,
        licence=of.licence,
        values="",
        title=of.title,
        source_operation=of.source_operation,
        stat_pop=of.stat_pop,
    )
    layouts, said = (made, *own.layouts, *below), {**of.metadata, **own.metadata}
    series = replace(own, layouts=layouts, metadata=said, not_known=of.not_known | own.not_known)
    return replace(country, series={**country.series, of.flow: series})
