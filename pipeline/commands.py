"""What the verbs of the command line do: load what is authored, run, and tell the result."""

from __future__ import annotations

import json
import logging
import shutil
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TextIO

from pipeline import (
    architecture,
    director,
    embargo,
    flat,
    form,
    junit,
    library,
    report,
    reuse,
    scaffold,
    signature,
    summary,
)
from pipeline import publish as release_
from pipeline import template as template_
from pipeline.errors import InputError, SetupError, Told, must_be_known
from pipeline.formats import Format, formats
from pipeline.framework import Correction
from pipeline.model import Layout, Library, Release, Series, Settings
from pipeline.settings import settings
from pipeline.texts import said


def load(root: Path) -> tuple[Library, Settings, Mapping[str, Format]]:
    """The library, the run's settings, and the formats that it asks for."""
    loaded, every = library.load(root), formats()
    chosen = settings(root / "publish.toml", loaded, formats=every)
    return loaded, chosen, {name: form for name, form in every.items() if name in chosen.formats}


def publish(root: Path, *, areas: Collection[str], flows: Collection[str], is_dry: bool) -> int:
    """Publish to `build/public`; 1 when a delivery was held back."""
    from pipeline.run import run

    loaded, chosen, forms = load(root)
    key = signature.signing_key()
    must_be_known(areas, chosen.areas, Told("country"))
    must_be_known(flows, loaded.dataflows, Told("dataflow"))
    public, reports = root / "build/public", root / "build/reports"
    say = summary.words(chosen.language)
    this = reuse.whole_run(root, loaded, chosen, areas=areas, flows=flows)
    code = None if is_dry or not this else reuse.standing_code(root / "build", this)
    if code is not None and reports.is_dir() and not any(signature.faults(public)):
        print(say["unchanged"].format(release=chosen.release))
        return code
    with release_.building(root / "build") as folder, _logged(reports / summary.LOG):
        parts = reuse.parts(root)
        made = run(root, loaded, chosen, formats=forms, folder=folder, areas=areas, flows=flows, parts=parts)
        _report(reports, made, loaded, chosen)
        _tell(made, loaded, chosen, path=(reports / summary.ISSUES).relative_to(root))
        if is_dry:
            _tell_differences(public, folder, say)
        elif not made.packages:
            print(say["nothing_fit"], file=sys.stderr)
        else:
            release_.check(folder, checked=parts.kept, said=say["progress_checking"])
            if key is not None:
                signature.sign(folder, key)
            if _put_out(folder, root, chosen, say):
                where = {"public": public.relative_to(root), "reports": reports.relative_to(root)}
                _print(summary.published(made, chosen, **where))
                reuse.remember(root / "build", parts, this, code=1 if made.held_back else 0)
    return 1 if made.held_back else 0


def _put_out(folder: Path, root: Path, chosen: Settings, say: Mapping[str, str]) -> bool:
    """Publish a finished release, or lay it aside until its hour; whether it is out."""
    is_out = embargo.is_over(chosen.embargo, datetime.now(UTC))
    if is_out:
        release_.swap(folder, root / "build/public")
    else:
        embargo.lay_aside(folder, root / "build", chosen.embargo)
        print(say["waits"].format(release=chosen.release, hour=chosen.embargo))
    return is_out


def release(root: Path) -> int:
    """Put out the release whose hour has come."""
    build = root / "build"
    with release_.building(build):
        folder = embargo.waiting(build, datetime.now(UTC))
        release_.check(folder)
        folder.chmod(0o755)
        release_.swap(folder, build / "public")
        shutil.rmtree(build / embargo.FOLDER)
    print("The release is out: build/public/")
    return 0


def verify(root: Path, *, folder: Path | None, key: Path | None) -> int:
    """Hold a release against its manifest and signature; 1 when it is not what was published."""
    place = folder or root / "build/public"
    found = list(signature.faults(place, key))
    for fault in found:
        print(fault, file=sys.stderr)
    if not found:
        print(signature.told(place, key))
    return 1 if found else 0


def validate(root: Path, *, area: str, flow: str, file: Path | None) -> int:
    """Validate a country's tables of one dataflow and write what goes back to the provider; 1 when they are not fit.

    The tables are only read.
    """
    from pipeline.completeness import gaps
    from pipeline.returned import refused, returned
    from pipeline.run import receive
    from pipeline.validate import validate as apply

    loaded, chosen, _ = load(root)
    if not (area and flow):
        raise SetupError(
            "say what to validate: a country and a dataflow, and perhaps a file in place of the one that was received, "
            "such as: python -m pipeline validate FILE --area CL --flow DF_STOCK. There are: {tables}",
            tables="; ".join(f"{area}: {', '.join(each.series)}" for area, each in loaded.countries.items()),
        )
    must_be_known([area], loaded.countries, Told("country"))
    is_template = file is not None and template_.is_template(file)
    if not is_template:
        must_be_known([flow], loaded.countries[area].series, Told("dataflow of {area}", area=area))
    must_be_known([flow], loaded.dataflows, Told("dataflow"))
    series = loaded.countries[area].series.get(flow) or Series(area, flow, (), (), 0, {})
    if file is not None:
        if is_template or series.template:
            series = replace(series, layouts=(), template=str(file.resolve()))
        else:
            if not file.is_file():
                raise SetupError("{file}: there is no such file.", file=file)
            whole, series = series, replace(series, layouts=_with_file(series.layouts, file))
        country = replace(loaded.countries[area], series={**loaded.countries[area].series, flow: series})
        if not is_template and not series.template:
            country = replace(country, corrections=_of_file(country.corrections, whole, file))
        loaded = replace(loaded, countries={**loaded.countries, area: country})
    language, reports = loaded.countries[area].language, root / "build/reports"
    try:
        received, day = receive(root, series, loaded), chosen.release_day
        found = apply(received, loaded, day=day)
        found = replace(found, issues=(*found.issues, *gaps(received, loaded, day=day)))
    except InputError as error:
        files = refused(area, flow, loaded, language=language, message=error.told.said(language))
        _hand_back(reports, area, flow, files, summary.words(chosen.language))
        raise
    for issue in found.issues:
        print(report.terminal(issue, loaded, chosen.language))
    print(summary.read(area, flow, received.ledger, chosen.language))
    print(summary.verdict(found.issues, chosen.language, is_fit=found.is_fit))
    verdicts = junit.written({(area, flow): found}, loaded, chosen.language, unread={})
    machine = {f"{flow}.csv": flat.table(found), f"{flow}.junit.xml": verdicts}
    files = returned(found, loaded, language=language, received=root / "data" / area)
    _hand_back(reports, area, flow, {**files, **machine}, summary.words(chosen.language))
    return 0 if found.is_fit else 1


def _report(folder: Path, made: Release, loaded: Library, chosen: Settings) -> None:
    """Write what stays with the office: the page for whoever signs, every issue in full, and the verdicts for
    continuous integration.
    """
    unread = {
        key: said(reason, chosen.language)
        for key, reason in made.held_back.items()
        if key not in made.reports or made.reports[key].is_fit  # the report is then that of the figures that stay
    }
    verdicts = junit.written(made.reports, loaded, chosen.language, unread=unread)
    listing = summary.listing(summary.every(made, loaded), loaded, chosen.language)
    files = {**director.pages(made, loaded, chosen), "junit.xml": verdicts, summary.ISSUES: listing.encode()}
    for name, content in files.items():
        (folder / name).write_bytes(content)


def _hand_back(reports: Path, area: str, flow: str, files: Mapping[str, bytes], say: Mapping[str, str]) -> None:
    """Write the files for a provider in place of those of the last time, and say where they are."""
    print(say["handed_back"])
    shutil.rmtree(reports / area / flow, ignore_errors=True)  # copies whose faults have been mended
    for path, content in files.items():
        target = reports / area / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        print(f"build/reports/{area}/{path}")


def _with_file(layouts: tuple[Layout, ...], file: Path) -> tuple[Layout, ...]:
    """The layouts of the file of the same name, or of the only one that there is, with `file` in its place.

    It is read alone: the other files of the dataflow need not be there.
    """
    name = _name_for(layouts, file)
    return tuple(replace(each, file=str(file.resolve())) for each in layouts if Path(each.file).name == name)


def _of_file(corrections: Iterable[Correction], series: Series, file: Path) -> tuple[Correction, ...]:
    """The corrections without those of the dataflow's other files, which are not read."""
    name = _name_for(series.layouts, file)
    return tuple(
        each
        for each in corrections
        if each.flow != series.flow or Path(each.file).name == name or fnmatchcase(file.name, Path(each.file).name)
    )


def _name_for(layouts: tuple[Layout, ...], file: Path) -> str:
    names = dict.fromkeys(Path(each.file).name for each in layouts)
    fitting = [name for name in names if fnmatchcase(file.name, name)]
    name = fitting[0] if fitting else file.name if len(names) > 1 else next(iter(names))
    if name not in names:
        raise SetupError(
            '"{file}" is none of the files of this dataflow: {known}. Give it such a name.',
            file=file.name,
            known=", ".join(names),
        )
    return name


def suggest(root: Path, *, area: str, flow: str, accept: Path | None) -> int:
    """Write suggestions for the labels that have no code, or add those that a person accepted to `codes.csv`."""
    from pipeline import accept as accepting
    from pipeline import names
    from pipeline import suggest as suggestions

    loaded, chosen, _ = load(root)
    must_be_known([area], loaded.countries, Told("country"))
    country = loaded.countries[area]
    must_be_known([flow], country.series, Told("dataflow of {area}", area=area))
    words = suggestions.words(chosen.language)
    pieces = suggestions.labels(root, country, loaded.dataflows[flow])
    if accept is not None:
        target = root / "metadata/national" / area / "codes.csv"
        rows = accepting.marked(accept, loaded, suggestions.distinct(pieces))
        new = accepting.add(target, rows, country.codes)
        shown = target.relative_to(root)
        print(words["accepted"].format(count=len(new), path=shown, already=len(rows) - len(new)))
        return 0
    others, unread = suggestions.other_labels(root, country, loaded, flow)
    structure = loaded.dataflows[flow].structure
    aliases = names.aliases(root / "metadata/aliases.csv")
    found = suggestions.unmapped(pieces, structure, country, loaded, aliases)
    covered = suggestions.coverage(pieces, others, structure, country)
    path = root / "build/suggestions" / area / f"{flow}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    marks = accepting.marks(path) if path.exists() else {}
    path.write_bytes(suggestions.table(found, loaded, words, language=chosen.language, marks=marks))
    record = json.dumps(suggestions.record(area, flow, found, covered), ensure_ascii=False, indent=1)
    path.with_suffix(".json").write_text(record + "\n", encoding="utf-8")
    for other, error in unread.items():
        print(words["unread"].format(flow=other, error=said(error, chosen.language)), file=sys.stderr)
    for line in suggestions.told(found, covered, words):
        print(line)
    if found:
        print(words["next"].format(path=path.relative_to(root), area=area, flow=flow))
    return 0


def template(root: Path, *, area: str, flow: str, out: Path | None) -> int:
    """Write the template of a dataflow for a country; a template that somebody filled is never written over."""
    loaded, chosen, _ = load(root)
    must_be_known([area], loaded.countries, Told("country"))
    must_be_known([flow], loaded.dataflows, Told("dataflow"))
    target = out or root / "build/templates" / area / f"{flow}.xlsx"
    if target.exists() and not template_.is_untouched(target):
        raise SetupError(
            "{target}: the file is there and is not an empty template. Move it, or name another.", target=target
        )
    content = form.write(form.form(loaded.countries[area], loaded.dataflows[flow], loaded))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    print(f"{target}\n{summary.words(chosen.language)['template'].format(area=area, flow=flow)}")
    return 0


def new_country(root: Path, *, area: str, sample: Path | None, flow: str) -> int:
    """Scaffold a country; say what was made and what is left to decide."""
    if sample is not None and not flow:
        raise SetupError("a sample needs its dataflow too: FLOW=DF_STOCK")
    for line in scaffold.new_country(root, area, library.load(root), sample=sample, flow=flow):
        print(line)
    return 0


def new_dataflow(root: Path, *, identifier: str, like: str) -> int:
    """Scaffold a dataflow; say what was made and what is left to decide."""
    for line in scaffold.new_dataflow(root, identifier, library.load(root), like=like):
        print(line)
    return 0


def docs(root: Path) -> int:
    """Write the generated pages of docs/."""
    for path, text in report.issue_pages(library.load(root), root / "tests/cases"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    (root / architecture.PAGE).write_text(architecture.page(root), encoding="utf-8")
    return 0


def _tell(made: Release, loaded: Library, chosen: Settings, *, path: Path) -> None:
    """Errors in full, warnings by their kind, then what was held back. Everything in full stands in a file."""
    found = summary.every(made, loaded)
    _print(summary.errors(found, loaded, chosen.language, path=path), file=sys.stderr)
    _print(summary.grouped(found, loaded, chosen.language, path=path), file=sys.stderr)
    _print(summary.held_back(made, chosen.language), file=sys.stderr)


def _print(lines: Iterable[str], *, file: TextIO | None = None) -> None:
    for line in lines:
        print(line, file=file)


@contextmanager
def _logged(path: Path) -> Iterator[None]:
    """Keep the log of a run in a file of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler, log = logging.FileHandler(path, mode="w", encoding="utf-8"), logging.getLogger("trayecto")
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        handler.close()


def _tell_differences(public: Path, folder: Path, say: Mapping[str, str]) -> None:
    before, after = _listed(public), _listed(folder)
    for path in sorted(before.keys() | after.keys()):
        if path not in before:
            print(say["added"].format(path=path))
        elif path not in after:
            print(say["removed"].format(path=path))
        elif before[path] != after[path]:
            print(say["changed"].format(path=path))
    print(say["nothing_published"].format(count=len(after)))


def _listed(folder: Path) -> dict[str, Any]:
    manifest = folder / "manifest.json"
    if not manifest.exists():
        return {}
    found: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))["files"]
    return found
