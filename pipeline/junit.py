"""The verdicts of a run as JUnit XML, which continuous integration shows: a suite a delivery, a case a rule."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET

from pipeline import report as words_of
from pipeline.model import Issue, Library, Report
from pipeline.texts import said

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2
_READ = "ING-00"  # the case of a delivery that could not be read; no issue has this code


def written(
    reports: Mapping[tuple[str, str], Report], library: Library, language: str, *, unread: Mapping[tuple[str, str], str]
) -> bytes:
    """A case fails when its rule has an error that no waiver covers, and is skipped when all its errors are waived.

    Warnings and notes are output of a case that passes: JUnit has no word for them. `unread` gives the reason
    why a delivery could not be read, which is an error of its suite. No times: equal input gives equal bytes.
    """
    root = ET.Element("testsuites", name="Trayecto")
    for area, flow in dict.fromkeys((*reports, *unread)):
        suite = ET.SubElement(root, "testsuite", name=f"{area} {flow}")
        reason, report = unread.get((area, flow)), reports.get((area, flow))
        if reason is not None:
            _case(suite, area, flow, _READ)
            _put(suite[-1], "error", reason, reason)
        elif report is not None:
            for code in dict.fromkeys((*report.applied, *(issue.code for issue in words_of.ordered(report)))):
                _case(suite, area, flow, f"{code} {said(library.issue_types[code].title, language)}")
                _judge(suite[-1], [i for i in report.issues if i.code == code], library, language)
        _count(suite)
    _count(root)
    ET.indent(root, " ")
    text: str = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _case(suite: ET.Element, area: str, flow: str, name: str) -> None:
    ET.SubElement(suite, "testcase", classname=f"{area}.{flow}", name=_clean(name))


def _judge(case: ET.Element, issues: Sequence[Issue], library: Library, language: str) -> None:
    errors = [issue for issue in issues if issue.severity == "E"]
    open_ = [issue for issue in errors if not issue.waiver]
    for issue in open_:
        _put(case, "failure", words_of.told(issue, library, language).message, _body(issue, library, language), "error")
    if errors and not open_:
        told = [words_of.told(issue, library, language) for issue in errors]
        _put(case, "skipped", "; ".join(dict.fromkeys(each.severity for each in told)), "")
    others = [_body(issue, library, language) for issue in issues if issue not in open_]
    if others:
        ET.SubElement(case, "system-out").text = _clean("\n".join(others))


def _body(issue: Issue, library: Library, language: str) -> str:
    """Where, what and what to do; then what was expected, as the rule says it."""
    text = words_of.terminal(issue, library, language)
    return f"{text}\n= {issue.expected}" if issue.expected else text


def _put(case: ET.Element, kind: str, message: str, text: str, type_: str = "") -> None:
    element = ET.SubElement(case, kind, message=_clean(message))
    if type_:
        element.set("type", type_)
    element.text = _clean(text) or None


def _count(element: ET.Element) -> None:
    element.set("tests", str(len(element.findall(".//testcase"))))
    for attribute, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(attribute, str(sum(case.find(kind) is not None for case in element.iter("testcase"))))


def _clean(text: str) -> str:
    """Labels of tables can hold signs that XML forbids."""
    return _NOT_XML.sub("�", text)
