"""A template, filled, reads back with no layout file; a broken one gets a word and stops no other table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from python_calamine import CalamineWorkbook
from tables import _BY_FLOW, _GOOD, FLOWS

from pipeline import commands, form, run
from pipeline import library as library_
from pipeline.errors import InputError, SetupError
from pipeline.formats import formats
from pipeline.labels import fates
from pipeline.model import Library
from pipeline.settings import settings
from pipeline.template import ONCE_ONLY, fingerprint, is_template, is_untouched, mark
from pipeline.validate import validate
from pipeline.workbook import MARK

ORIGIN = {"provider": "Instituto Nacional de Ficticia [INF]", "licence": "CC-BY-4.0"}
ANSWERS = {"source_operation": "Registro", "stat_pop": "Residentes", "url": "https://inf.example"}
REFUGEES = {
    "REF_AREA": "Ficticia [XX]",
    "MIG_MEASURE": "STK_PROT",
    "AGE": "Total [_T]",
    "COUNTRY_BIRTH": "Total [_T]",
    "COUNTERPART_AREA": "Total [_T]",
    "DURATION": "_T",
    "REASON": "_T",
    "ADM_EVENT": "No corresponde [_Z]",
    "SOURCE_TYPE": "Registros de asilo [ADM_ASY]",
    "REF_DATE": "2023-12-31",
    "METHOD": "NONE",
}
ROWS = [
    {"SEX": "Mujer [F]", "CITIZENSHIP": "Noruega [NO]", "LEGAL_STATUS": "REF", "TIME_PERIOD": "2023", "OBS_VALUE": 40},
    {"SEX": "Hombre", "CITIZENSHIP": "Namibia [NA]", "LEGAL_STATUS": "REF", "TIME_PERIOD": 2023, "OBS_VALUE": "1.050"},
    {"SEX": "Total [_T]", "CITIZENSHIP": "VE", "LEGAL_STATUS": "REF", "TIME_PERIOD": "2023", "OBS_VALUE": ".."},
]


def fill(
    path: Path,
    library: Library,
    rows: Sequence[Mapping[str, object]],
    once: Mapping[str, str],
    *,
    area: str = "XX",
    flow: str = "",
    change: Callable[[Any], object] = id,
    order: Callable[[list[str]], list[str]] = list,
) -> form.Form:
    """Write a template as its office would fill it; `order` reorders the columns, `change` spoils the book."""
    asked = form.form(library.countries[area], library.dataflows[flow or path.stem], library)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(form.write(asked))
    book = openpyxl.load_workbook(path)
    about, data = book[asked.words["about"]], book[asked.words["data"]]
    places = {cell.value: cell.row for cell in about["A"]}
    for key, label in asked.fields.items():
        said = {**ANSWERS, **ORIGIN, **once}.get(key) or {**ANSWERS, **once}.get(key.partition(".")[0])
        if said:
            about.cell(places[label], 2, said)
    columns = order(list(asked.columns))
    for number, component in enumerate(columns, start=1):
        data.cell(form.HEADER, number, asked.columns[component])
        for row, cells in enumerate(rows, start=form.HEADER + 1):
            data.cell(row, number, cells.get(component))
    change(book)
    book.save(path)
    return asked


def receive(root: Path, flow: str, area: str = "XX") -> Any:
    loaded = library_.load(root)
    return run.receive(root, loaded.countries[area].series[flow], loaded)


@pytest.mark.parametrize("order", [list, lambda names: names[::-1]], ids=["as made", "reordered"])
def test_a_filled_template_is_a_delivery_with_no_layout_file(office: Path, library: Library, order: Any) -> None:
    loaded = library_.load(office)
    asked = fill(office / "data/XX/DF_REFUGEE.xlsx", loaded, ROWS, REFUGEES, order=order)
    assert not (office / "metadata/national/XX/DF_REFUGEE.toml").exists()
    found = receive(office, "DF_REFUGEE")
    frame = found.frame
    assert frame["CITIZENSHIP"].to_list() == ["NO", "NA", "VE"]
    assert frame["SEX"].to_list() == ["F", "M", "_T"]
    assert frame["OBS_VALUE"].to_list()[:2] == [40, 1050]
    assert frame["OBS_STATUS"].to_list() == ["A", "A", "O"]
    assert set(frame["TIME_PERIOD"]) == {"2023"}
    assert set(frame["SOURCE_OPERATION"]) == {"Registro"}
    assert (set(frame["FREQ"]), set(frame["SOURCE_TYPE"])) == ({"A"}, {"ADM_ASY"})
    place = 1 + order(list(asked.columns)).index("OBS_VALUE")
    assert frame[["row", "column"]].to_numpy().tolist() == [[row, place] for row in (4, 5, 6)]
    assert found.origins[0].sheet == "Datos"
    assert found.ledger.balance == 0


def test_a_code_stands_beside_names_and_two_meanings_do_not(office: Path) -> None:
    """The workbook says that a code alone will do. Where a letter has to be mapped, M may be Mujer: it stays open."""
    rows = "component,column,label,code,note\nSEX,,H,M,\n"
    (office / "metadata/national/XX/codes.csv").write_text(rows, encoding="utf-8")
    names = [("Noruega", "F"), ("VE", "Hombre"), ("SD", "M"), ("Namibia [NA]", "H")]
    rows = [{**ROWS[0], "CITIZENSHIP": citizenship, "SEX": sex} for citizenship, sex in names]
    fill(office / "data/XX/DF_REFUGEE.xlsx", library_.load(office), rows, REFUGEES)
    found = receive(office, "DF_REFUGEE")
    assert found.frame["CITIZENSHIP"].to_list() == ["NO", "VE", "SD", "NA"]
    assert found.frame["SEX"].to_list() == ["«F»", "M", "«M»", "M"]
    assert found.hidden == {}, "its own lists are no hidden tables"


def test_what_it_says_is_fit_to_be_published(office: Path) -> None:
    fill(office / "data/XX/DF_REFUGEE.xlsx", library_.load(office), ROWS, REFUGEES)
    _agree(office, "DF_REFUGEE")
    loaded = library_.load(office)
    found = validate(receive(office, "DF_REFUGEE"), loaded, day="2026-11-24")
    assert found.is_fit, found.issues


@pytest.mark.thorough
def test_it_goes_out_and_a_broken_one_stops_no_other(office: Path, tmp_path: Path) -> None:
    loaded = library_.load(office)
    fill(office / "data/XX/DF_REFUGEE.xlsx", loaded, ROWS, REFUGEES)
    (office / "data/XX/DF_EMIG.xlsx").write_bytes(b"no workbook")
    _agree(office, "DF_REFUGEE")
    loaded, forms = library_.load(office), formats()
    chosen = settings(office / "publish.toml", loaded, formats=forms)
    chosen = replace(chosen, flows=("DF_REFUGEE", "DF_EMIG"))
    made = run.run(office, loaded, chosen, formats={"csv": forms["csv"]}, folder=tmp_path / "made")
    assert [p.data.flow.id for p in made.packages] == ["DF_REFUGEE"]
    assert "not a workbook" in made.held_back["XX", "DF_EMIG"]["en"]


@pytest.mark.parametrize("flow", sorted(FLOWS))
def test_every_dataflow_reads_its_own_template_back(office: Path, flow: str) -> None:
    loaded = library_.load(office)
    dataflow = loaded.dataflows[flow]
    good = dict.fromkeys(dataflow.structure.dimensions, "_T") | _GOOD | _BY_FLOW[flow]
    good |= {"REF_AREA": "XX", "UNIT_MEASURE": good.get("UNIT_MEASURE", "PT"), "TIME_PER_COLLECT": "E"}
    path = office / f"data/XX/{flow}.xlsx"
    (office / f"metadata/national/XX/{flow}.toml").unlink(missing_ok=True)
    asked = form.form(loaded.countries["XX"], dataflow, loaded)
    entries = {
        c: form.choices(c, loaded.countries["XX"], dataflow, loaded).get(good.get(c, ""), good.get(c, ""))
        for c in (*asked.columns, *ONCE_ONLY)
        if c in asked.columns or c in dataflow.structure.components
    }
    once = {c: entries[c] for c in ONCE_ONLY if entries.get(c)}
    row = {c: entries[c] for c in asked.columns if c != "OBS_VALUE" and c not in asked.prefilled}
    fill(path, loaded, [{**row, "OBS_VALUE": 1000}], once)
    frame = receive(office, flow).frame
    for component in dataflow.structure.key:
        assert frame[component].to_list() == [
            good[component] if component not in asked.prefilled else frame[component][0]
        ], component
    assert frame["OBS_VALUE"].to_list() == [1000]


@pytest.mark.parametrize("area", ["CL", "AR", "MX"])
def test_a_template_of_each_dataflow_for_real_countries(library: Library, tmp_path: Path, area: str) -> None:
    for language, flow in zip(["es", "pt", "en"] * 5, library.dataflows.values(), strict=False):
        country = replace(library.countries[area], language=language)
        asked = form.form(country, flow, library)
        path = tmp_path / f"{flow.id}.xlsx"
        path.write_bytes(form.write(asked))
        sheets = CalamineWorkbook.from_path(path).sheet_names
        assert sheets[:3] == [asked.words[s] for s in ("instructions", "about", "data")]
        assert len(set(asked.columns.values())) == len(asked.columns)
        assert len(set(asked.fields.values())) == len(asked.fields)
        assert is_untouched(path)


def test_every_entry_of_every_list_means_its_code(library: Library) -> None:
    for area in ("CL", "AR"):
        country = library.countries[area]
        for flow in library.dataflows.values():
            for component, each in flow.structure.components.items():
                entries = form.choices(component, country, flow, library)
                found = fates(entries.values(), component, "", country, each.codelist)
                assert {code: found[entry].code for code, entry in entries.items()} == {code: code for code in entries}


def test_a_name_that_is_not_the_codes_own_stays_unknown(library: Library) -> None:
    codelist, country = library.list_of("CITIZENSHIP"), library.countries["CL"]
    said = ["Dominica [DO]", "Chile [NAT]", "Perú [NAT]", "Perú [PE]", "Perú [P]"]
    found = {label: fate.code for label, fate in fates(said, "CITIZENSHIP", "", country, codelist).items()}
    assert found == {
        "Dominica [DO]": "Dominica [DO]",
        "Chile [NAT]": "NAT",
        "Perú [NAT]": "Perú [NAT]",
        "Perú [PE]": "PE",
        "Perú [P]": "Perú [P]",
    }


def test_the_drop_downs_refer_to_the_right_lists(library: Library, tmp_path: Path) -> None:
    asked = form.form(library.countries["CL"], library.dataflows["DF_STOCK"], library)
    path = tmp_path / "DF_STOCK.xlsx"
    path.write_bytes(form.write(asked))
    book = openpyxl.load_workbook(path)
    data = book["Datos"]
    assert book[MARK].sheet_state == "veryHidden"
    assert book["_lists"].sheet_state == "hidden"
    assert data.freeze_panes == "A4"
    by_column = {str(each.sqref): each for each in data.data_validations.dataValidation}
    for number, component in enumerate(asked.columns, start=1):
        letter = openpyxl.utils.get_column_letter(number)
        checked = by_column[f"{letter}4:{letter}20003"]
        if component in asked.lists:
            sheet, cells = next(iter(book.defined_names[checked.formula1].destinations))
            assert tuple(row[0].value for row in book[sheet][cells.replace("$", "")]) == asked.lists[component]
        else:
            assert checked.type is None
    areas = asked.lists["REF_AREA"]
    assert "Chile [CL]" in areas
    assert all("[CL" in entry for entry in areas)
    assert "Chile [NAT]" in asked.lists["CITIZENSHIP"]
    assert not any("[CL]" in entry for entry in asked.lists["CITIZENSHIP"])


def drop(sheet: str) -> Callable[[Any], None]:
    return lambda book: book.remove(book[sheet])


def put(sheet: str, cell: str, text: str | None) -> Callable[[Any], None]:
    def change(book: Any) -> None:
        book[sheet][cell] = text

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (drop("Datos"), 'the sheet "Datos" of the template is gone'),
        (drop("Sobre el cuadro"), 'the sheet "Sobre el cuadro" of the template is gone'),
        (drop(MARK), "this workbook is no template"),
        (put(MARK, "C1", "99"), "not a template that this version can read"),
        (put(MARK, "C2", "CL"), "Move it to data/CL/DF_REFUGEE.xlsx"),
        (put("Datos", "C3", "Género"), 'sheet "Datos": no column is headed "Sexo *"'),
        (put("Datos", "D3", "Sexo *"), 'sheet "Datos", row 3: columns C, D are both headed "Sexo *"'),
        (put("Sobre el cuadro", "A4", "Quién"), 'no cell of column A says "Institución que produce las cifras *"'),
        (put("Sobre el cuadro", "B4", None), 'sheet "Sobre el cuadro", cell B4: nothing is chosen'),
        (put("Sobre el cuadro", "B5", "Libre"), 'cell B5: "Libre" is not known'),
        (put("Sobre el cuadro", "B7", None), 'cell B7: "Título del cuadro (español)" is empty'),
        (put("Sobre el cuadro", "B16", None), '"Tipo de fuente *" is empty'),
        (put("Sobre el cuadro", "B16", "Censo [CENS]"), 'cell B16: "Censo [CENS]" is not a code of'),
        (put("Sobre el cuadro", "B21", "Mujer [F]"), 'cell B21: "Mujer [F]" is said for the whole table'),
    ],
)
def test_a_broken_template_says_where_and_what_to_do(office: Path, change: Callable[[Any], None], told: str) -> None:
    fill(office / "data/XX/DF_REFUGEE.xlsx", library_.load(office), ROWS, REFUGEES, change=change)
    with pytest.raises(InputError) as raised:
        receive(office, "DF_REFUGEE")
    assert str(raised.value).startswith("XX/DF_REFUGEE.xlsx")
    assert told in str(raised.value)


def test_an_unknown_label_is_told_in_its_cell(office: Path) -> None:
    rows = [{**ROWS[0], "CITIZENSHIP": "Dominica [DO]"}, ROWS[1]]
    fill(office / "data/XX/DF_REFUGEE.xlsx", library_.load(office), rows, REFUGEES)
    _agree(office, "DF_REFUGEE")
    found = validate(receive(office, "DF_REFUGEE"), library_.load(office), day="2026-11-24")
    assert [(i.code, i.cells, i.found) for i in found.issues if i.severity == "E"] == [
        ("STR-03", ("E4",), "Dominica [DO]")
    ]


def test_the_verb_writes_it_and_never_over_a_filled_one(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = office / "build/templates/XX/DF_REFUGEE.xlsx"
    for _ in range(2):
        assert commands.template(office, area="XX", flow="DF_REFUGEE", out=None) == 0
    assert "data/XX/DF_REFUGEE.xlsx" in capsys.readouterr().out
    assert is_template(target)
    fill(target, library_.load(office), ROWS, REFUGEES)
    before = target.read_bytes()
    with pytest.raises(SetupError, match="not an empty template"):
        commands.template(office, area="XX", flow="DF_REFUGEE", out=None)
    assert target.read_bytes() == before
    other = office / "other.xlsx"
    assert commands.template(office, area="XX", flow="DF_REFUGEE", out=other) == 0
    assert mark(office, "other.xlsx").flow == "DF_REFUGEE"


def test_a_filled_template_can_be_tried_from_anywhere(office: Path, tmp_path: Path) -> None:
    _agree(office, "DF_REFUGEE")
    path = tmp_path / "elsewhere" / "DF_REFUGEE.xlsx"
    fill(path, library_.load(office), ROWS, REFUGEES)
    assert commands.validate(office, area="XX", flow="DF_REFUGEE", file=path) == 0


def test_a_cell_more_or_less_changes_the_fingerprint() -> None:
    import pandas as pd

    empty = pd.DataFrame([["a", ""]])
    assert fingerprint(empty, empty) != fingerprint(empty, pd.DataFrame([["a", "b"]]))


def _agree(office: Path, flow: str) -> None:
    path = office / "metadata/national/XX/country.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('flows = ["DF_STOCK"', f'flows = ["{flow}", "DF_STOCK"'), encoding="utf-8")


def test_a_template_with_a_fault_goes_back_with_it_marked(office: Path) -> None:
    rows = [*ROWS[:2], {**ROWS[2], "CITIZENSHIP": "Marciana"}]
    fill(office / "data/XX/DF_REFUGEE.xlsx", library_.load(office), rows, REFUGEES)
    _agree(office, "DF_REFUGEE")
    assert commands.validate(office, area="XX", flow="DF_REFUGEE", file=None) == 1
    again = openpyxl.load_workbook(office / "build/reports/XX/DF_REFUGEE/DF_REFUGEE.problemas.xlsx")
    assert again.sheetnames[0] == "Problemas"
    marked = [cell for row in again["Datos"].iter_rows() for cell in row if cell.comment]
    assert [cell.value for cell in marked] == ["Marciana"]
    assert "STR-03" in marked[0].comment.text
