"""The command line: one verb a task. `python -m pipeline` lists them."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.errors import TrayectoError, of_the_machine

ROOT = Path(__file__).parents[1]


def _publish(options: argparse.Namespace) -> int:
    from pipeline.commands import publish

    return publish(ROOT, areas=_listed(options.area), flows=_listed(options.flow), is_dry=options.dry_run)


def _validate(options: argparse.Namespace) -> int:
    from pipeline.commands import validate

    return validate(ROOT, area=options.area, flow=options.flow, file=options.given or options.file)


def _suggest(options: argparse.Namespace) -> int:
    from pipeline.commands import suggest

    return suggest(ROOT, area=options.area, flow=options.flow, accept=options.accept)


def _serve(options: argparse.Namespace) -> int:
    from pipeline.service.app import serve

    return serve(ROOT, ROOT / "build/public", port=options.port)


def _harvest_check(options: argparse.Namespace) -> int:
    from pipeline.harvest import harvest_check

    return harvest_check(ROOT / "build/public")


def _harvest(options: argparse.Namespace) -> int:
    from pipeline.hub.harvest import harvest

    return harvest(ROOT, urls=options.urls)


def _release(options: argparse.Namespace) -> int:
    from pipeline.commands import release

    return release(ROOT)


def _verify(options: argparse.Namespace) -> int:
    from pipeline.commands import verify

    return verify(ROOT, folder=options.folder, key=options.key)


def _template(options: argparse.Namespace) -> int:
    from pipeline.commands import template

    return template(ROOT, area=options.area, flow=options.flow, out=options.out)


def _new_country(options: argparse.Namespace) -> int:
    from pipeline.commands import new_country

    return new_country(ROOT, area=options.area, sample=options.sample, flow=options.flow)


def _new_dataflow(options: argparse.Namespace) -> int:
    from pipeline.commands import new_dataflow

    return new_dataflow(ROOT, identifier=options.id, like=options.like)


def _protect(options: argparse.Namespace) -> int:
    from pipeline.standalone import protect

    return protect(options.table, options.hierarchy, options.out, threshold=options.threshold)


def _audit(options: argparse.Namespace) -> int:
    from pipeline.standalone import audit

    return audit(options.published, options.hierarchy, need=options.need, width=options.min_width, out=options.out)


def _border(options: argparse.Namespace) -> int:
    from pipeline.estimate import border

    return border(ROOT, **_given(options) | {"uncontrolled": _listed(options.uncontrolled)})


def _survey(options: argparse.Namespace) -> int:
    from pipeline.estimate import survey

    return survey(ROOT, **_given(options))


def _questions(options: argparse.Namespace) -> int:
    from pipeline.estimate import questions

    return questions(ROOT, **_given(options))


def _docs(options: argparse.Namespace) -> int:
    from pipeline.commands import docs

    return docs(ROOT)


def _listed(text: str) -> list[str]:
    return text.replace(",", " ").split()


def parser() -> argparse.ArgumentParser:
    """All verbs and their options."""
    top = argparse.ArgumentParser(prog="python -m pipeline", description=__doc__)
    verbs = top.add_subparsers(dest="verb", required=True, metavar="verb")

    def verb(name: str, text: str, function: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=text, description=text)
        added.set_defaults(function=function)
        return added

    each = verb("publish", "run the whole flow and publish to build/public", _publish)
    each.add_argument(
        "--area", default="", help="only these countries, such as CL or CL,PE; the others stay as they are"
    )
    each.add_argument("--flow", default="", help="only these dataflows, such as DF_STOCK")
    each.add_argument(
        "--dry-run",
        action="store_true",
        help="list what would be added, changed and removed; publish nothing",
    )
    each = verb("validate", "validate one country's tables of a dataflow, or one file in place of them", _validate)
    each.add_argument("given", nargs="?", type=Path, metavar="FILE", help="a file to try in place of the one received")
    each.add_argument("--area", default="")
    each.add_argument("--flow", default="")
    each.add_argument("--file", type=Path, help="the same as FILE")
    each = verb("suggest", "suggest codes for labels that have none, or add those that you accepted", _suggest)
    each.add_argument("--area", required=True)
    each.add_argument("--flow", required=True)
    each.add_argument("--accept", type=Path, help="a reviewed table of suggestions: add its marked rows to codes.csv")
    each = verb("serve", "serve build/public on 127.0.0.1, with the SDMX REST services over it", _serve)
    each.add_argument("--port", type=int, default=8000)
    verb(
        "harvest-check",
        "play the harvesting agency against build/public and print what it would see",
        _harvest_check,
    )
    verb("release", "put out the release that waited for its hour", _release)
    each = verb("verify", "hold a release against its manifest and signature", _verify)
    each.add_argument("folder", nargs="?", type=Path, help="a release; build/public else")
    each.add_argument("--key", type=Path, help="the public key in PEM that it must be signed with")
    each = verb("template", "write a workbook with drop-downs to be filled, in the national language", _template)
    each.add_argument("--area", required=True)
    each.add_argument("--flow", required=True)
    each.add_argument("--out", type=Path, help="where to write it; build/templates/<AREA>/<FLOW>.xlsx else")
    each = verb("new-country", "make the folder of a country, and the draft of a layout from a sample", _new_country)
    each.add_argument("--area", required=True)
    each.add_argument("--sample", type=Path, help="a table to guess a layout from; it is copied to data/<AREA>/")
    each.add_argument("--flow", default="", help="the dataflow of the sample, such as DF_STOCK")
    each = verb("new-dataflow", "make the folder of a dataflow after the example of another", _new_dataflow)
    each.add_argument("--id", required=True, help="its identifier, such as DF_HOUSING")
    each.add_argument("--like", default="DF_STOCK", help="the dataflow to begin from; DF_STOCK else")
    each = verb("protect", "withhold the confidential cells of any tables, and what would tell them", _protect)
    each.add_argument(
        "--table", type=Path, action="append", required=True, help="a table; give it again for linked ones"
    )
    each.add_argument("--hierarchy", type=Path, required=True, help="dimensions, sums and policy, as JSON")
    each.add_argument("--out", type=Path, required=True, help="folder for the protected tables")
    each.add_argument("--threshold", type=float, default=0, help="smallest count to publish; that of the policy else")
    each = verb("audit", "attack published tables: which withheld cells can be told", _audit)
    each.add_argument("--published", type=Path, action="append", required=True, help="a table; again for linked ones")
    each.add_argument("--hierarchy", type=Path, required=True, help="dimensions, sums and policy, as JSON")
    each.add_argument("--need", choices=["width", "threshold"], default="", help="how wide an interval must stay")
    each.add_argument("--min-width", type=float, default=0, help="for --need width; that of the policy else")
    each.add_argument("--out", type=Path, help="write the cells with their intervals there, as CSV")

    _of_records(verb)
    verb("docs", "write the generated pages of docs/", _docs)
    return top


def _given(options: argparse.Namespace) -> dict[str, Any]:
    """The options of a verb by name, as its command takes them."""
    return {name: value for name, value in vars(options).items() if name not in ("verb", "function")}


def _of_records(verb: Callable[[str, str, Callable[[argparse.Namespace], int]], argparse.ArgumentParser]) -> None:
    """The verbs of records of persons, of the questions that they were asked, and of the hub."""
    _border_options(verb("border", "estimate stocks and flows from border-control records", _border))
    _questions_options(verb("questions", "hold a questionnaire against the standard question modules", _questions))
    _harvest_options(verb("harvest", "gather published sites into a regional one, in build/hub/public", _harvest))
    _survey_options(verb("survey", "adjust the weights of a survey so that migrants are visible", _survey))


def _harvest_options(each: argparse.ArgumentParser) -> None:
    each.add_argument(
        "--urls", default="", help="addresses of sites, or @ and a file that lists them; @hub.toml else, if it is there"
    )


def _border_options(each: argparse.ArgumentParser) -> None:
    each.add_argument("--crossings", type=Path, required=True, help="one row a crossing: Parquet, CSV, DuckDB or .sql")
    each.add_argument("--database", default="", help="where a query .sql is asked: an address as SQLAlchemy writes it")
    each.add_argument("--out", type=Path, required=True, help="the folder for events, flows, stocks and tables")
    each.add_argument("--obs-end", required=True, help="the last day whose crossings are known, YYYY-MM-DD")
    each.add_argument("--threshold-days", type=int, default=365, help="days that make a migration; 365 else")
    each.add_argument("--window-days", type=int, default=487, help="out of so many days; 487 else")
    each.add_argument("--initial-status", type=Path, help="a table of person_id and initial_status, R or N")
    each.add_argument("--deaths", type=Path, help="a table of person_id and death_date")
    each.add_argument("--engine", default="duckdb", choices=("duckdb", "spark"), help="the engine that sorts and adds")
    each.add_argument("--memory", default="4GB", help="how much memory the engine may take; 4GB else")
    each.add_argument(
        "--imputed-at",
        default="midpoint",
        choices=("midpoint", "earliest", "latest"),
        help="where in the gap a missing crossing is put: its half, or the bounds of what is not known",
    )
    each.add_argument("--permitted-days", type=int, default=0, help="days that a visitor may stay, for overstays")
    each.add_argument("--uncontrolled", default="", help="posts without control of each person: POST1,POST2")
    each.add_argument("--time-zone", default="", help="the zone of the country, where moments come with a zone")
    each.add_argument("--link-documents", action="store_true", help="join the two documents of what seems two persons")
    each.add_argument("--sensitivity", action="store_true", help="compare the three rules, and bounds of imputation")
    each.add_argument("--previous", type=Path, help="the folder of an earlier run, to tell what is revised")
    each.add_argument("--area", default="", help="the country: write its tables and layouts for `publish`")
    each.add_argument("--provider", default="", help="the provider of those tables, as in country.toml")
    each.add_argument("--licence", default="CC-BY-4.0", help="the licence of those tables; CC-BY-4.0 else")
    each.add_argument("--base", type=Path, help="a stock by citizenship and sex, to be carried forward")
    each.add_argument("--layout", type=Path, help="how a register names its columns: metadata/crossings/*.toml")
    each.add_argument("--new-keys", action="store_true", help="hash the keys of persons anew, with a salt forgotten")


def _survey_options(each: argparse.ArgumentParser) -> None:
    each.add_argument("--input", type=Path, required=True, help="microdata: CSV, Parquet, SPSS or Stata")
    each.add_argument("--design", type=Path, required=True, help="where weights, strata and clusters stand, as TOML")
    each.add_argument("--controls", type=Path, required=True, help="population totals: variable, level, control_total")
    each.add_argument("--out", type=Path, required=True, help="the folder for weights, estimates and tables")
    each.add_argument(
        "--method",
        default="raking",
        choices=("linear", "raking", "logit", "linear_trunc"),
        help="the distance to the weights of the design that is kept small; raking else",
    )
    each.add_argument("--lower", type=float, help="smallest ratio of weights, for logit and linear_trunc; 0.33 else")
    each.add_argument("--upper", type=float, help="largest ratio of weights, for logit and linear_trunc; 3 else")
    each.add_argument("--area", default="", help="the country: write its tables and layouts for `publish`")
    each.add_argument("--provider", default="", help="the provider of those tables, as in country.toml")
    each.add_argument("--licence", default="CC-BY-4.0", help="the licence of those tables; CC-BY-4.0 else")


def _questions_options(each: argparse.ArgumentParser) -> None:
    each.add_argument("file", type=Path, metavar="FILE", help="its description: a row for each category of an answer")
    each.add_argument("--kind", default="census", choices=("census", "survey"), help="the instrument; census else")
    each.add_argument("--year", type=int, help="the year it is asked in; that of the release else")
    each.add_argument("--area", default="", help="the country, such as CL; its own code is then no foreign country")
    each.add_argument("--out", type=Path, help="the folder for the coverage; build/questions/<FILE> else")


def main() -> int:
    """Run a verb; the exit code is 0 published, 1 data not fit, 2 our authored files are wrong, 3 a bug."""
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    logging.getLogger().handlers[0].setLevel(logging.WARNING)  # what libraries say of their work is not for people
    logging.getLogger("trayecto").setLevel(logging.INFO)  # for the file that a run leaves
    logging.raiseExceptions = False  # a log that cannot be written is no traceback
    options = parser().parse_args(sys.argv[1:] or ["--help"])
    try:
        return int(options.function(options))
    except TrayectoError as error:
        return _failed(error)
    except KeyboardInterrupt:
        return 130  # 128 and the number of the signal, as shells have it
    except Exception as error:
        found = of_the_machine(error)
        if found is not None:
            return _failed(found)
        logging.getLogger("trayecto").exception("This is a fault of the program, not of your files. Please report it.")
        return 3


def _failed(error: TrayectoError) -> int:
    from pipeline.settings import language
    from pipeline.summary import failed

    print(failed(error, language(ROOT / "publish.toml")), file=sys.stderr)
    return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
