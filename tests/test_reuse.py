"""A run makes again what has changed and what depends on it, with the bytes of a whole run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from test_publish import contents, explain, is_whole, run

from pipeline import reuse
from pipeline.commands import load
from pipeline.tree import Tree


def made(office: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Run, and say which parts had to be made."""
    kept: list[reuse.Parts] = []
    real = reuse.parts

    def parts(root: Path) -> reuse.Parts:
        kept.append(real(root))
        return kept[-1]

    monkeypatch.setattr(reuse, "parts", parts)
    assert run(office) == 0
    monkeypatch.setattr(reuse, "parts", real)
    return kept[0].made if kept else []


EVERY = [
    "DF_BORDER",
    "DF_BORDER XX",
    "DF_CAPACITY",
    "DF_CAPACITY XX",
    "DF_INDIC",
    "DF_INDIC XX",
    "DF_STOCK",
    "DF_STOCK XX",
    "metadata",
    "structures",
]


@pytest.mark.thorough
def test_a_changed_cell_makes_what_depends_on_it_again(
    office: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    public = office / "build/public"
    explain(office)
    assert sorted(made(office, monkeypatch)) == EVERY
    first = contents(public)
    capsys.readouterr()
    assert made(office, monkeypatch) == []
    assert "nothing has changed" in capsys.readouterr().out
    assert contents(public) == first
    path = office / "data/XX/entradas.csv"
    path.write_bytes(path.read_bytes().replace(b"1.259", b"1.260").replace(b"1.234", b"1.235"))
    whole = Path(shutil.copytree(office, office.with_name("whole")))
    (whole / "build/.parts.json").unlink()
    assert sorted(made(office, monkeypatch)) == ["DF_BORDER", "DF_BORDER XX", "metadata"]
    assert sorted(made(whole, monkeypatch)) == EVERY
    assert contents(public) == contents(whole / "build/public")
    assert is_whole(public)


def test_a_file_that_was_changed_by_hand_is_not_taken_over(tmp_path: Path) -> None:
    part = reuse.Part("part", ["figures"], lambda tree: tree.write(["files/a.csv", "files/b.csv"], b"12"))
    tree = Tree(tmp_path / "public")
    first = reuse.Parts(tmp_path / "public", "")
    first.fill(tree, [part])
    assert first.made == ["part"]
    for content, expected in ((b"12", []), (b"13", ["part"])):
        (tmp_path / "public/files/a.csv").write_bytes(content)
        following = Tree(tmp_path / f"next {content!r}")
        second = reuse.Parts(tmp_path / "public", "", first.now, tree.written)
        second.fill(following, [part])
        assert second.made == expected
        assert second.kept == (set() if expected else {"files/a.csv", "files/b.csv"})
        assert (following.root / "files/b.csv").read_bytes() == b"12"
        assert following.written == tree.written


def test_a_record_of_another_release_gives_nothing(office: Path) -> None:
    build = office / "build"
    (build / "public").mkdir(parents=True)
    manifest = build / "public/manifest.json"
    manifest.write_text('{"files": {}}', encoding="utf-8")
    reuse.remember(build, reuse.Parts(build / "public", "", now={"name": ["path"]}), "run", code=1)
    assert reuse.parts(office).before == {"name": ["path"]}
    assert reuse.standing_code(office / "build", "run") == 1
    assert reuse.standing_code(office / "build", "another run") is None
    manifest.write_text('{"files": {} }', encoding="utf-8")
    assert reuse.parts(office).before == {}
    assert reuse.standing_code(office / "build", "run") is None
    (build / reuse.RECORD).write_text("{", encoding="utf-8")
    assert reuse.parts(office).before == {}


def test_all_that_is_authored_names_a_part(office: Path) -> None:
    before = reuse.common(office)
    assert reuse.common(office) == before
    for path in ("codelists/MIGLAC/CL_AGE-1.0.0.csv", "dsd/concepts.csv", "metadata/licences.csv", "publish.toml"):
        content = (office / path).read_bytes()
        (office / path).write_bytes(content + b"\n")
        assert reuse.common(office) != before, path
        (office / path).write_bytes(content)
    (office / "data/XX/entradas.csv").write_bytes(b"")
    assert reuse.common(office) == before


def test_why_figures_change_is_of_the_run_and_of_no_part(office: Path) -> None:
    """A cell that is corrected, with its reason, makes its own table anew and no other."""

    def names() -> tuple[str, str]:
        library, chosen, _ = load(office)
        return reuse.common(office), reuse.whole_run(office, library, chosen, areas=(), flows=())

    before = names()
    (office / "metadata/national/XX/revisions.csv").write_text(
        "flow,date,scope,reason_en,reason_es,reason_pt\n", encoding="utf-8"
    )
    after = names()
    assert after[0] == before[0]
    assert after[1] != before[1]
