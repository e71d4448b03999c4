"""What the program stands on may be passed on with it: licences of every locked package, as it states them itself."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest

LOCK = (Path(__file__).parents[1] / "requirements.lock").read_text(encoding="utf-8")
PACKAGES = sorted(set(re.findall(r"^([A-Za-z0-9_.-]+)==", LOCK, re.MULTILINE)))
FREE = re.compile(r"\b(MIT|0?BSD|Apache|ISC|MPL|Mozilla|PSF|Python Software Foundation|Artistic|Zlib|CC0|Unlicense)\b")
COPYLEFT = re.compile(r"\b(A?GPL|Affero|General Public)")
OFFERED_OTHERWISE_TOO = {"text-unidecode"}  # under the Artistic License or the GPL, as one likes


@pytest.mark.parametrize("package", PACKAGES)
def test_a_locked_package_may_be_passed_on(package: str) -> None:
    try:
        about = metadata(package)
    except PackageNotFoundError:
        pytest.skip("not installed on this system")
    classified = [each for each in about.get_all("Classifier", []) if each.startswith("License ::")]
    said = about.get("License-Expression") or " ".join(classified) or (about.get("License") or "")[:200]
    assert FREE.search(said), f"{package}: {said or 'it states no licence'}"
    assert package in OFFERED_OTHERWISE_TOO or not COPYLEFT.search(said), f"{package}: {said}"
