"""Question modules: the standard as data, and a questionnaire held against it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from lxml import html

from pipeline import library as authored
from pipeline.errors import InputError, SetupError
from pipeline.framework import LANGUAGES
from pipeline.library.modules import COLUMNS
from pipeline.methods.questions import Coverage, covered, opened, questions, told, written
from pipeline.model import Library
from pipeline.modules import Instrument, Questionnaire, Universe
from pipeline.structures.artefacts import artefacts

ROOT = Path(__file__).parents[1]
HERE = ("Here", "NAT", "")
WHICH = ("Another country (which)", "FOR", "yes")
UNKNOWN = ("Not known", "_U", "")
Categories = Iterable[tuple[str, str, str]]


def item(
    name: str, question: str, universe: str, *categories: tuple[str, str, str], part: str = ""
) -> list[dict[str, str]]:
    first = {"item": name, "question": question, "part": part, "universe": universe}
    rows = [{"category_en": text, "code": code, "write_in": mark} for text, code, mark in categories]
    return [{**first, **rows[0]}, *rows[1:]]


def held(library: Library, *items: list[dict[str, str]], kind: Instrument = "census") -> Coverage:
    blank = dict.fromkeys(COLUMNS, "")
    rows = tuple(enumerate(({**blank, **row} for each in items for row in each), start=2))
    name = {"en": "Test"}
    return covered(Questionnaire("TEST", "CL", kind, 2020, name, rows, COLUMNS, file="test.csv"), library.modules)


BIRTH = item("1", "Q-BP", "ALL", HERE, WHICH, UNKNOWN)


def codes(found: Coverage) -> list[str]:
    return [each.code for each in found.issues]


# ---------------------------------------------------------------- the standard


def test_every_question_of_the_framework_is_there(library: Library) -> None:
    names = "BP BPM BPF CZ CZA YR R5 R1 PR EV IN RS ST EM RM RC LB DS VC XB"
    assert list(library.modules.questions) == [f"Q-{each}" for each in names.split()]
    for question in library.modules.questions.values():
        assert question.title.keys() == question.wording.keys() == set(LANGUAGES), question.id
        assert not question.caveat or question.caveat.keys() == set(LANGUAGES), question.id
        assert any(part.required for part in question.parts)


def test_what_a_census_must_not_ask_is_kept_out_of_it(library: Library) -> None:
    for each in ("Q-ST", "Q-VC"):
        assert library.modules.questions[each].tiers["census"] == "none"
    assert library.modules.questions["Q-R1"].tiers == {"census": "extended", "survey": "core"}


def test_the_questions_are_a_concept_scheme_of_sdmx(library: Library) -> None:
    scheme = artefacts(library).concepts["CS_MIG_QUESTION"]
    assert [each.id for each in scheme] == list(library.modules.questions)
    birth = scheme["Q-BP"]
    assert birth.core_representation.enumerated.id == "CL_ORIGIN"
    assert birth.description.localizations["pt"].startswith("Quando você nasceu")
    notes = {each.type: each.title for each in scheme["Q-EM"].annotations}
    assert notes["UNIVERSE"] == "HOUSEHOLD"
    assert notes["CONCEPTS"] == "STK_HHEM FLW_OUT"
    assert notes["CAVEAT_EN"] == "It misses households that left whole."


@pytest.mark.parametrize(
    ("file", "right", "wrong", "fault"),
    [
        ("questions.csv", ",COUNTRY_BIRTH,ALL,", ",COUNTRY_BURTH,ALL,", "COUNTRY_BURTH"),
        ("questions.csv", ",COUNTRY_BIRTH,ALL,", ",COUNTRY_BIRTH,SOME,", '"SOME" is not a universe'),
        ("questions.csv", "Q-BP,core,", "Q-BP,vital,", '"vital" must be one of'),
        ("answers.csv", "Q-BP,COUNTRY,", "Q-XX,COUNTRY,", '"Q-XX" is not a question'),
        (
            "answers.csv",
            "Q-RS,REASON,MIGLAC:CL_MIG_REASON(1.0.0),WORK",
            "Q-RS,REASON,MIGLAC:CL_MIG_REASON(1.0.0),TOIL",
            "TOIL",
        ),
        ("answers.csv", "Q-YR,YEAR,YEAR,10", "Q-YR,YEAR,YEAR,ten", "how many years"),
        ("answers.csv", "Q-CZA,MANNER,YES_NO", "Q-CZA,MANNER,MAYBE", '"MAYBE" is neither a code list'),
        ("tables.csv", "STOCK-1,", "STOCK-9,", '"STOCK-9" is not a minimum table'),
        ("tables.csv", "RGT-1,Q-VC\n", "", "RGT-1: the table has no row"),
        ("universes.csv", "BORN_ABROAD,EVER_ABROAD", "BORN_ABROAD,BORN_ELSEWHERE", "must stand above"),
        ("questionnaires.csv", "CL_CENSUS_2017,CL,census", "CL_CENSUS_2017,CL,poll", '"poll" must be one of'),
        ("questionnaires.csv", "CL_CENSUS_2017,CL,", "CL_CENSUS_2017,ZZ,", '"ZZ" is not a country'),
    ],
)
def test_what_does_not_fit_together_is_refused(office: Path, file: str, right: str, wrong: str, fault: str) -> None:
    path = office / "metadata/modules" / file
    content = path.read_text(encoding="utf-8")
    assert right in content
    path.write_text(content.replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(SetupError, match=re.escape(fault)):
        authored.load(office)


# ---------------------------------------------------------------- how far a question is covered


@pytest.mark.parametrize(
    ("text", "reach"),
    [
        ("ALL", 1),
        ("ALL 5+", 1),
        ("ALL 3+", 1),
        ("ALL 10+", 0.5),
        ("ALL 15-64", 0.5),
        ("EVER_ABROAD", 0),
        ("HOUSEHOLD", 0),
    ],
)
def test_persons_are_those_of_the_standard_or_fewer(library: Library, text: str, reach: float) -> None:
    found = held(library, item("1", "Q-R5", text, HERE, WHICH, UNKNOWN))
    assert found.scores["Q-R5"].reach == reach
    assert found.scores["Q-R5"].value == reach


def test_a_wider_group_holds_a_narrower_one(library: Library) -> None:
    year = ("Year", "YEAR", "yes")
    reach = {
        group: held(library, item("1", "Q-YR", group, year, UNKNOWN)).scores["Q-YR"].reach
        for group in ("ALL", "EVER_ABROAD", "BORN_ABROAD", "BORN_ABROAD_RECENT", "FOREIGN_CITIZENS")
    }
    assert reach == {"ALL": 1, "EVER_ABROAD": 1, "BORN_ABROAD": 1, "BORN_ABROAD_RECENT": 0, "FOREIGN_CITIZENS": 0}


def test_detail_is_the_share_of_pairs_that_stay_apart(library: Library) -> None:
    """Eight reasons make 28 pairs; two in one category lose one, three lose three."""
    rest = [(each, each, "") for each in ("ECON", "HEALTH", "RETIRE", "RETURN")]
    found = held(
        library,
        item(
            "1",
            "Q-RS",
            "BORN_ABROAD",
            ("Work or study", "WORK EDU", ""),
            ("Family", "FAM", ""),
            ("Protection", "PROT", ""),
            *rest,
            UNKNOWN,
        ),
    )
    (answer,) = found.scores["Q-RS"].answers
    assert (answer.pairs, answer.kept, answer.merged) == (28, 27, (("WORK", "EDU"),))
    assert found.scores["Q-RS"].value == pytest.approx(27 / 28)
    assert codes(found) == ["QST-02"]
    written_in = ("Else (which)", "ECON HEALTH RETIRE RETURN", "yes")
    three = item(
        "1",
        "Q-RS",
        "BORN_ABROAD",
        ("Work, study, family", "WORK EDU FAM", ""),
        ("Protection", "PROT", ""),
        written_in,
        UNKNOWN,
    )
    assert held(library, three).scores["Q-RS"].answers[0].kept == 25


def test_a_finer_category_stands_for_the_reason_above_it(library: Library) -> None:
    finer = [("To look for work", "WORK_SEEK", ""), ("A job", "WORK_OFFER", ""), ("Violence", "PROT_VIOL", "")]
    others = ("Else (which)", "FAM EDU ECON HEALTH RETIRE RETURN", "yes")
    found = held(library, item("1", "Q-RS", "BORN_ABROAD", *finer, others, UNKNOWN))
    assert found.scores["Q-RS"].value == 1
    assert codes(found) == []


def test_what_no_category_holds_is_lost_too(library: Library) -> None:
    found = held(library, item("1", "Q-RS", "BORN_ABROAD", ("Work", "WORK", ""), ("Family", "FAM", ""), UNKNOWN))
    (answer,) = found.scores["Q-RS"].answers
    assert (answer.kept, answer.absent) == (1, ("EDU", "PROT", "ECON", "HEALTH", "RETIRE", "RETURN"))


def test_years_in_bands_are_told_apart_between_bands_only(library: Library) -> None:
    """Ten years and all before them make 55 pairs; two bands of five years lose 20."""
    bands = [("2016-2020", "2016-2020", ""), ("2011-2015", "2011-2015", ""), ("Before", "-2010", ""), UNKNOWN]
    (answer,) = held(library, item("1", "Q-YR", "ALL", *bands)).scores["Q-YR"].answers
    assert (answer.pairs, answer.kept) == (55, 35)


def test_the_own_country_is_no_foreign_one(library: Library) -> None:
    countries = library.modules.codelists["MIGLAC:CL_ORIGIN(1.0.0)"].select("kind=country")
    (answer,) = held(library, BIRTH).scores["Q-BP"].answers
    count = len(countries)  # without Chile, with NAT
    assert answer.pairs == answer.kept == count * (count - 1) // 2


def test_two_items_of_one_question_add_up(library: Library) -> None:
    nationality = item(
        "1", "Q-CZ", "ALL", ("Citizen", "NAT", ""), ("Foreigner", "FOR", ""), ("None", "STLS", ""), UNKNOWN
    )
    alone = held(library, nationality)
    assert codes(alone) == ["QST-03"]
    assert alone.scores["Q-CZ"].value < 0.1
    country = item("2", "Q-CZ", "FOREIGN_CITIZENS", ("Which country", "kind=country", "yes"), UNKNOWN)
    both = held(library, nationality, country)
    assert both.scores["Q-CZ"].value == 1
    assert codes(both) == []


def test_an_answer_that_is_not_asked_counts_as_nothing(library: Library) -> None:
    country = item("1", "Q-EM", "HOUSEHOLD", ("Country", "FOR", "yes"), UNKNOWN, part="COUNTRY")
    sex = item("2", "Q-EM", "HOUSEHOLD", ("Man", "M", ""), ("Woman", "F", ""), UNKNOWN, part="SEX")
    assert held(library, country, sex).scores["Q-EM"].value == 0.5  # age and year are not asked


def test_a_core_question_counts_twice(library: Library) -> None:
    found = held(library, BIRTH)
    weights = [WEIGHT for score in found.scores.values() if (WEIGHT := score.weight)]
    assert set(weights) == {1, 2}
    assert found.value == pytest.approx(2 / sum(weights))
    assert held(library, BIRTH, kind="survey").value < found.value  # more is asked of a survey


def test_a_table_can_be_fed_when_all_its_questions_are_half_covered(library: Library) -> None:
    found = held(library, BIRTH)
    assert [table for table, fed in found.tables.items() if fed] == ["STOCK-1", "STOCK-3", "STOCK-5", "SOC-1"]
    assert found.missing["STOCK-4"] == ("Q-CZ",)
    assert {table for table, fed in found.tables.items() if fed is None} == {"NAT-1", "BRD-1", "REM-1"}
    half = held(library, item("1", "Q-R1", "ALL 15+", HERE, WHICH, UNKNOWN))
    assert half.tables["FLOW-2"] is True


def test_an_item_of_another_topic_is_left_alone(library: Library) -> None:
    found = held(library, BIRTH, item("2", "", "", ("Yes", "", ""), ("No", "", "")))
    assert codes(found) == []
    assert found.items[1].question is None
    assert {concept for _, concept in found.matrix} == {"COUNTRY_BIRTH"}


def test_the_matrix_has_the_score_of_each_item_and_concept(library: Library) -> None:
    found = held(library, BIRTH, item("2", "Q-R5", "ALL 10+", HERE, WHICH, UNKNOWN))
    assert found.matrix == {("1", "COUNTRY_BIRTH"): 1, ("2", "COUNTERPART_AREA"): 0.5, ("2", "FLW_IN"): 0.5}
    rows = list(csv.DictReader(io.StringIO(written.matrix(found).decode())))
    assert [(row["item"], row["COUNTRY_BIRTH"], row["FLW_IN"]) for row in rows] == [("1", "1", ""), ("2", "", "0.5")]


# ---------------------------------------------------------------- findings and words


def test_a_finding_says_the_cell(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "survey.csv"
    path.write_text(
        "item,question,universe,category_es,code\n1,Q-BP,ALL,Aquí,NAT\n,,,Otro,WHERE\n,,,No sabe,_U\n", encoding="utf-8"
    )
    (issue,) = covered(opened(path, kind="survey", year=2026), library.modules).issues
    assert (issue.code, issue.cells, issue.heading, issue.found) == ("QST-01", ("E3",), "code", "Otro: WHERE")


@pytest.mark.parametrize("code", ["min_years>=x", "*>=", "", "NAT WHERE"])
def test_a_hostile_code_is_a_finding(library: Library, code: str) -> None:
    assert "QST-01" in codes(held(library, item("1", "Q-BP", "ALL", HERE, ("Other", code, ""), UNKNOWN)))


def test_gaps_are_told_in_three_languages(library: Library) -> None:
    found = held(library, BIRTH, item("2", "Q-R5", "ALL 10+", HERE, ("Abroad", "FOR", ""), UNKNOWN))
    texts = {
        lang: {score.question.id: text for score, text in told.gaps(found, library.modules, lang)} for lang in LANGUAGES
    }
    assert "Q-BP" not in texts["en"]
    assert texts["en"]["Q-R5"].startswith(
        "Asked of fewer ages: all persons, aged 10 and over; the standard is all persons, aged 5 and over. Country: one"
    )
    assert texts["es"]["Q-CZ"] == "Ningún ítem de la descripción lo pregunta."
    assert texts["pt"]["Q-R5"].startswith("Pergunta-se a menos idades: todas as pessoas, de 10 anos ou mais;")


def test_the_words_are_the_same_in_every_language_and_all_used() -> None:
    def keys(of: object, stem: str = "") -> list[str]:
        return [k for n, v in of.items() for k in keys(v, f"{stem}.{n}")] if isinstance(of, dict) else [stem[1:]]

    said = [told.words(lang) for lang in LANGUAGES]
    assert keys(said[0]) == keys(said[1]) == keys(said[2])
    for key in keys(said[0]):
        places = []
        for each in said:
            text: object = each
            for part in key.split("."):
                text = text[part]  # type: ignore[index]
            places.append(sorted(re.findall(r"{\w+}", str(text))))
        assert places[0] == places[1] == places[2], key
    sources = [
        *(ROOT / "site/templates").glob("question*.html"),
        *(ROOT / "pipeline/methods/questions").glob("*.py"),
        ROOT / "pipeline/catalogue/questions.py",
    ]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    whole = {"tiers", "ages", "answers", "gap", "column"}  # chosen by a code
    chosen = {"census", "survey", "core", "extended", "core_lead", "extended_lead"}
    for key in said[0]:
        assert key in whole | chosen or re.search(rf'\bq\.{key}\b|\["{key}"\]', code), key


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("example", ["CL_CENSUS_2017", "MX_CENSUS_2020"])
def test_the_examples_are_sound_and_say_where_they_were_read(library: Library, example: str) -> None:
    questionnaire = library.modules.examples[example]
    assert questionnaire.source.keys() == set(LANGUAGES)
    assert questionnaire.url.startswith("https://")
    found = covered(questionnaire, library.modules)
    assert found.is_fit
    assert {each.code for each in found.issues} <= {"QST-03", "QST-04"}
    for each in found.items:
        assert each.text.keys() == set(LANGUAGES)
        assert all(category.text.keys() == set(LANGUAGES) for category in each.categories)


def test_what_the_examples_cover(library: Library) -> None:
    chile, mexico = (covered(each, library.modules) for each in library.modules.examples.values())
    assert [key for key, score in chile.scores.items() if score.value == 1] == ["Q-BP", "Q-YR", "Q-R5"]
    assert chile.tables["STOCK-2"] is False  # citizenship is not asked
    assert mexico.scores["Q-CZ"].value < 0.1  # asked as yes or no
    assert mexico.scores["Q-RS"].value == 0  # asked of whoever moved, wherever from
    assert mexico.tables["EMIG-1"] is True


def test_a_questionnaire_is_read_and_its_coverage_written(library: Library, tmp_path: Path) -> None:
    source = ROOT / "metadata/modules/questionnaires/CL_CENSUS_2017.csv"
    before = source.read_bytes()
    made = questions(source, library, kind="census", year=2017, area="CL", out=tmp_path)
    assert made.is_fit
    assert source.read_bytes() == before
    assert {path.name for path in made.files} == {
        *(f"coverage.{lang}.md" for lang in LANGUAGES),
        "matrix.csv",
        "coverage.json",
    }
    record = json.loads((tmp_path / "coverage.json").read_bytes())
    expected = covered(library.modules.examples["CL_CENSUS_2017"], library.modules)
    assert record["score"] == round(expected.value, 3)
    assert record["tables"] == dict(expected.tables)
    assert "- STOCK-2: No: le falta Q-CZ" in (tmp_path / "coverage.es.md").read_text(encoding="utf-8")
    assert written.summary(made.coverage, "pt") in (tmp_path / "coverage.pt.md").read_text(encoding="utf-8")


def test_a_workbook_is_read_like_a_table(library: Library, tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    for row in csv.reader((ROOT / "tests/cases/QST-03/case.csv").read_text(encoding="utf-8").splitlines()):
        book.active.append(row)
    book.save(tmp_path / "form.xlsx")
    found = covered(opened(tmp_path / "form.xlsx", kind="census", year=2026), library.modules)
    assert codes(found) == ["QST-03"]


def test_a_file_that_is_no_description_is_refused(library: Library, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("item,text\n1,x\n", encoding="utf-8")
    with pytest.raises(InputError, match="question, universe, code, category_es"):
        opened(tmp_path / "a.csv", kind="census", year=2026)
    with pytest.raises(SetupError, match="no such file"):
        opened(tmp_path / "b.csv", kind="census", year=2026)
    with pytest.raises(SetupError, match='"ZZ" is not a country'):
        questions(tmp_path / "a.csv", library, kind="census", year=2026, area="ZZ", out=tmp_path)


def test_the_release_has_the_modules_as_files(library: Library) -> None:
    made = dict(written.files(library))
    assert {path.removeprefix("files/questions/") for path in made} == {
        "modules.csv",
        "modules.json",
        *(f"{each}{end}" for each in library.modules.examples for end in (".csv", ".matrix.csv", ".coverage.json")),
    }
    rows = list(csv.DictReader(io.StringIO(made["files/questions/modules.csv"].decode())))
    assert {row["id"] for row in rows} == set(library.modules.questions)
    assert (
        made["files/questions/CL_CENSUS_2017.csv"]
        == (ROOT / "metadata/modules/questionnaires/CL_CENSUS_2017.csv").read_bytes()
    )


def test_ages_in_words() -> None:
    assert (Universe("ALL").ages, Universe("ALL", 5).ages, Universe("ALL", 15, 64).ages) == ("", "5+", "15-64")


# ---------------------------------------------------------------- pages


def test_pages_show_the_modules_and_the_examples(library: Library) -> None:
    from test_catalogue import SITE, settings

    from pipeline import catalogue
    from pipeline.model import Release

    made = dict(catalogue.pages(Release((), {}, {}), library, settings(), site=SITE, written={}))
    for lang in LANGUAGES:
        page = made[f"{lang}/questions/index.html"].decode()
        for question in library.modules.questions.values():
            assert f'id="{question.id}"' in page
        assert f"{lang}/questions/CL_CENSUS_2017/index.html" in made
    page = html.document_fromstring(made["en/questions/MX_CENSUS_2020/index.html"])
    cells = page.xpath("//table[@class='coverage']//tr[th/code='4']/td/text()")
    assert cells == ["1 %"]
    assert [each.text for each in page.xpath("//section[@aria-labelledby='scores']//thead//th")][2] == "Items"
    record = json.loads(made["en/questions/MX_CENSUS_2020/index.json"])
    assert record["coverage"]["tables"]["STOCK-2"] is False
    assert "Question modules" in made["en/concepts/index.html"].decode()
    assert "Question modules" in made["en/about/index.html"].decode()
