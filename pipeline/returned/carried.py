"""What openpyxl does not carry over into a copy, taken from the delivered workbook as it is (ECMA-376 parts 1 and 2).

The result of each formula, without which other readers than Excel show nothing; and charts, images and
shapes, part by part, under a folder of their own so that no name is taken twice. What is lost all the
same is told by its kind.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

from pipeline.workbook import sheet_parts, xml_parser

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "{http://schemas.openxmlformats.org/package/2006/relationships}"
_TYPES = "{http://schemas.openxmlformats.org/package/2006/content-types}"
_FOLDER = "xl/delivered"
_AFTER_DRAWING = (  # CT_Worksheet, ECMA-376 part 1 §18.3.1.99
    "legacyDrawing",
    "legacyDrawingHF",
    "drawingHF",
    "picture",
    "oleObjects",
    "controls",
    "webPublishItems",
    "tableParts",
    "extLst",
)
_LOST = ("slicers", "timelines", "threadedComments", "ctrlProps", "activeX", "embeddings", "queryTables", "richData")

Parts = dict[str, bytes]


@dataclass
class _Delivered:
    """The delivered workbook, and what has been taken from it: its parts by the names that they get."""

    parts: Parts
    taken: Parts = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # delivered name → new name


def carried(delivered: bytes, copy: bytes) -> bytes:
    """The copy with the results of formulas and the drawings of the delivered workbook."""
    old, new = _Delivered(_unpacked(delivered)), _unpacked(copy)
    places = sheet_parts(copy)
    for sheet, part in sheet_parts(delivered).items():
        if sheet in places and part in old.parts and places[sheet] in new:
            _results(old.parts[part], new, places[sheet])
            _drawing(old, part, new, places[sheet])
    if old.taken:
        _content_types(old, new)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (new | old.taken).items():
            archive.writestr(name, content)
    return packed.getvalue()


def lost(delivered: bytes) -> str:
    """The kinds of parts of a workbook that no copy has."""
    with zipfile.ZipFile(io.BytesIO(delivered)) as archive:
        names = archive.namelist()
    return ", ".join(kind for kind in _LOST if any(name.startswith(f"xl/{kind}/") for name in names))


def _unpacked(content: bytes) -> Parts:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


# ---------------------------------------------------------------- formulas


def _results(old: bytes, new: Parts, place: str) -> None:
    """Give each formula of the copy the result that the delivered sheet has saved with it."""
    if b"<f" not in old or b"<f" not in new[place]:
        return
    saved = {cell.get("r"): (cell.get("t"), value) for cell, value in _calculated(old)}
    root = etree.fromstring(new[place], xml_parser())
    for cell in root.iter(f"{_MAIN}c"):
        kind, result = saved.get(cell.get("r"), (None, None))
        if result is None or cell.find(f"{_MAIN}f") is None:
            continue
        value = cell.find(f"{_MAIN}v")
        if value is None:
            value = etree.SubElement(cell, f"{_MAIN}v")
        value.text = result
        if kind is not None:
            cell.set("t", kind)
        elif "t" in cell.attrib:
            del cell.attrib["t"]
    new[place] = _written(root)


def _calculated(sheet: bytes) -> Iterator[tuple[etree._Element, str]]:
    """The cells of a sheet that have a formula and its result, with that result."""
    for cell in etree.fromstring(sheet, xml_parser()).iter(f"{_MAIN}c"):
        value = cell.findtext(f"{_MAIN}v")
        if value and cell.find(f"{_MAIN}f") is not None:
            yield cell, value


# ---------------------------------------------------------------- drawings


def _drawing(old: _Delivered, part: str, new: Parts, place: str) -> None:
    """Put the drawing of a delivered sheet, and all that it needs, on the sheet of the copy."""
    drawn = [target for target, kind in _targets(old.parts, part) if kind == f"{_OFFICE}/drawing"]
    if not drawn or drawn[0] not in old.parts:
        return
    root = etree.fromstring(new[place], xml_parser())
    related = _rels(place)
    relations = etree.fromstring(new[related], xml_parser()) if related in new else _no_relations()
    _drop_own(new, place, root, relations)
    identifier = f"rIdDelivered{len(relations) + 1}"
    added = etree.SubElement(relations, f"{_PACKAGE}Relationship", Id=identifier, Type=f"{_OFFICE}/drawing")
    added.set("Target", f"/{_take(old, drawn[0])}")
    drawing = etree.Element(f"{_MAIN}drawing", {f"{{{_OFFICE}}}id": identifier}, nsmap={"r": _OFFICE})
    later = [child for child in root if etree.QName(child).localname in _AFTER_DRAWING]
    root.insert(root.index(later[0]) if later else len(root), drawing)
    new[place], new[related] = _written(root), _written(relations)


def _drop_own(new: Parts, place: str, root: etree._Element, relations: etree._Element) -> None:
    """Take off the sheet of the copy the drawing that openpyxl made of what it understood."""
    for target, kind in list(_targets(new, place)):
        if kind == f"{_OFFICE}/drawing":
            for part in (target, *(part for part, _ in list(_targets(new, target)))):
                new.pop(part, None)
                new.pop(_rels(part), None)
    for each in [
        *relations.iterfind(f"{_PACKAGE}Relationship[@Type='{_OFFICE}/drawing']"),
        *root.iter(f"{_MAIN}drawing"),
    ]:
        above = each.getparent()
        assert above is not None
        above.remove(each)


def _take(old: _Delivered, part: str) -> str:
    """Take a part and what it leads to; its new name."""
    if part in old.names:
        return old.names[part]
    name = old.names[part] = f"{_FOLDER}/{part.removeprefix('xl/')}"
    old.taken[name] = old.parts[part]
    if _rels(part) in old.parts:
        relations = etree.fromstring(old.parts[_rels(part)], xml_parser())
        for each in relations:
            if each.get("TargetMode") != "External":
                target = _resolved(part, each.get("Target", ""))
                if target in old.parts:
                    each.set("Target", f"/{_take(old, target)}")
        old.taken[_rels(name)] = _written(relations)
    return name


def _targets(parts: Mapping[str, bytes], part: str) -> Iterator[tuple[str, str]]:
    """(part, kind of the relation) for all that a part leads to inside the package."""
    if _rels(part) in parts:
        for each in etree.fromstring(parts[_rels(part)], xml_parser()):
            if each.get("TargetMode") != "External":
                yield _resolved(part, each.get("Target", "")), each.get("Type", "")


def _content_types(old: _Delivered, new: Parts) -> None:
    """Say of what kind the parts are that were taken, as the delivered workbook does."""
    ours, theirs = (etree.fromstring(each["[Content_Types].xml"], xml_parser()) for each in (new, old.parts))
    by_name = {each.get("PartName"): each.get("ContentType", "") for each in theirs.iter(f"{_TYPES}Override")}
    by_ending = {
        each.get("Extension", "").lower(): each.get("ContentType", "") for each in theirs.iter(f"{_TYPES}Default")
    }
    for each in list(ours.iter(f"{_TYPES}Override")):
        if each.get("PartName", "").lstrip("/") not in new:  # of what openpyxl had made
            ours.remove(each)
    for part, name in old.names.items():
        kind = by_name.get(f"/{part}") or by_ending.get(posixpath.splitext(part)[1].lstrip(".").lower(), "")
        if kind:
            etree.SubElement(ours, f"{_TYPES}Override", PartName=f"/{name}", ContentType=kind)
    new["[Content_Types].xml"] = _written(ours)


def _rels(part: str) -> str:
    folder, name = posixpath.split(part)
    return f"{folder}/_rels/{name}.rels"


def _resolved(part: str, target: str) -> str:
    return posixpath.normpath(posixpath.join("/", posixpath.dirname(part), target)).lstrip("/")


def _no_relations() -> etree._Element:
    return etree.Element(f"{_PACKAGE}Relationships")


def _written(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
