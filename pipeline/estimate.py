"""The commands of the methods: tables from crossings of the border or a survey, and the coverage of a questionnaire."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from pipeline import library, report
from pipeline.errors import Told, must_be_known
from pipeline.formats import formats
from pipeline.model import Issue, Library, Settings
from pipeline.modules import Instrument
from pipeline.settings import settings


class Made(Protocol):
    """What a method found and wrote."""

    @property
    def issues(self) -> tuple[Issue, ...]: ...
    @property
    def files(self) -> tuple[Path, ...]: ...
    @property
    def is_fit(self) -> bool: ...


def border(root: Path, **options: Any) -> int:
    """Estimate stocks and flows from crossings; say what was found and written; 1 when they are not fit."""
    from pipeline.methods.border import Asked
    from pipeline.methods.border import border as run

    loaded = library.load(root)
    asked = Asked(**_with_provider(options, loaded), phrases=loaded.phrases)
    return _told(loaded, run(asked), _chosen(root, loaded).language)


def survey(root: Path, **options: Any) -> int:
    """Adjust the weights of a survey; say what was found and written; 1 when the microdata are not fit."""
    from pipeline.methods.survey import Asked
    from pipeline.methods.survey import survey as run

    loaded = library.load(root)
    asked = Asked(
        **_with_provider(options, loaded),
        phrases=loaded.phrases,
        standards=loaded.standards,
        dimensions={flow.id: flow.structure.dimensions for flow in loaded.dataflows.values()},
    )
    return _told(loaded, run(asked), _chosen(root, loaded).language)


def questions(root: Path, *, file: Path, kind: Instrument, year: int | None, area: str, out: Path | None) -> int:
    """Hold a questionnaire against the question modules; say what was found; 1 when its description has errors."""
    from pipeline.methods.questions import questions as run
    from pipeline.methods.questions.written import summary

    loaded = library.load(root)
    chosen = _chosen(root, loaded)
    folder = out or root / "build/questions" / file.stem
    made = run(file, loaded, kind=kind, year=year or int(chosen.release[:4]), area=area, out=folder)
    code = _told(loaded, made, chosen.language)
    print(summary(made.coverage, chosen.language))
    return code


def _with_provider(options: Mapping[str, Any], loaded: Library) -> dict[str, Any]:
    """Options with the focal provider of the country where no other is named."""
    area = options["area"]
    if not area:
        return dict(options)
    must_be_known([area], loaded.countries, Told("country"))
    return {**options, "provider": options["provider"] or loaded.countries[area].focal}


def _chosen(root: Path, loaded: Library) -> Settings:
    return settings(root / "publish.toml", loaded, formats=formats())


def _told(loaded: Library, made: Made, language: str) -> int:
    for issue in made.issues:
        print(report.terminal(issue, loaded, language))
    for path in made.files:
        print(path)
    return 0 if made.is_fit else 1
