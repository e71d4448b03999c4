"""What a release changes of the one before it: snapshots, deltas, and what may no longer be told."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_publish import contents, explain, is_whole, run

from pipeline import releases
from pipeline.errors import PublishError
from pipeline.model import Library, Release, Settings, Written
from pipeline.releases import deltas, documents
from pipeline.tree import Tree

TABLE = ("DF_STOCK", "CL")
FIRST, SECOND, THIRD = "2026-11-24.1", "2026-11-24.2", "2026-12-01.1"

# ---------------------------------------------------------------- snapshots

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=5) | st.sampled_from(
    ["O'Higgins", 'a "b" c & <d>', "two\nlines", "😀", "مصر", "'=1", ",", "NA", "004"]
)
rows = st.dictionaries(
    st.tuples(st.sampled_from(["CL", "NO", "NA"]), st.sampled_from(["F", "M"]), st.sampled_from(["2020", "2021"])),
    st.tuples(st.sampled_from(["", "0", "12", "1.5"]), st.sampled_from(["A", "E", "Q"]), texts),
    max_size=8,
)
NAMES = ["REF_AREA", "SEX", "TIME_PERIOD", "OBS_VALUE", "OBS_STATUS", "COMMENT_OBS"]


def snapshot(found: dict[tuple[str, ...], tuple[str, ...]], vintage: str, *, has_comments: bool) -> pd.DataFrame:
    frame = pd.DataFrame([(*key, *said) for key, said in found.items()], columns=NAMES, dtype=str)
    frame = frame if has_comments else frame.drop(columns="COMMENT_OBS")
    head = pd.DataFrame({"STRUCTURE": "dataflow", "STRUCTURE_ID": "A:B(1.0.0)", "ACTION": "I"}, index=frame.index)
    conf = frame["OBS_STATUS"].map(lambda status: "A" if status == "Q" else "F")
    return (
        head.join(frame)
        .assign(CONF_STATUS=conf, VINTAGE=vintage, LAST_UPDATE=vintage[:10], LICENCE="CC-BY-4.0")
        .astype(str)
    )


def comparable(frame: pd.DataFrame) -> list[dict[str, str]]:
    """The observations by key; a column that says nothing is as good as none."""
    said = [name for name in frame if (frame[name] != "").any()]
    return sorted(frame[said].to_dict("records"), key=lambda row: sorted(row.items()))


@settings(max_examples=50, deadline=None)
@given(before=rows, after=rows, had_comments=st.booleans(), has_comments=st.booleans())
def test_the_snapshot_before_and_the_delta_give_the_new_one(
    before: dict[tuple[str, ...], tuple[str, ...]],
    after: dict[tuple[str, ...], tuple[str, ...]],
    *,
    had_comments: bool,
    has_comments: bool,
) -> None:
    old = deltas.read(deltas.written(snapshot(before, FIRST, has_comments=had_comments)))
    new = deltas.read(deltas.written(snapshot(after, SECOND, has_comments=has_comments)))
    change = deltas.read(deltas.written(deltas.delta(old, new)))
    assert comparable(deltas.applied(old, change)) == comparable(new)


@settings(max_examples=50, deadline=None)
@given(found=rows, comment=texts | st.just("\ndataflow,A:B(1.0.0),I,x"), piece=st.integers(1, 400))
def test_of_no_snapshot_the_delta_is_made_without_reading(
    found: dict[tuple[str, ...], tuple[str, ...]], comment: str, piece: int
) -> None:
    frame = snapshot(found, FIRST, has_comments=True)
    if len(frame):
        frame.loc[0, "COMMENT_OBS"] = comment
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(deltas, "_PIECE", piece)
        made = deltas.of_nothing(deltas.written(frame))
        if frame["COMMENT_OBS"].str.contains("\n").any():
            assert made is None
            return
        assert made is not None
        write, count = made
        write(file := io.BytesIO())
    assert (file.getvalue(), count) == (deltas.written(deltas.delta(frame[:0], frame)), len(frame))


@settings(max_examples=10, deadline=None)
@given(found=rows)
def test_equal_figures_have_no_delta(found: dict[tuple[str, ...], tuple[str, ...]]) -> None:
    frame = snapshot(found, FIRST, has_comments=True)
    assert not len(deltas.delta(frame, frame))


def test_a_delta_says_no_more_than_the_two_snapshots() -> None:
    """An observation that is gone is named and nothing is said of it; one that is withheld now has no old value."""
    old = snapshot(
        {("CL", "F", "2020"): ("12", "A", "gone"), ("CL", "M", "2020"): ("7777", "A", "told")}, FIRST, has_comments=True
    )
    new = snapshot({("CL", "M", "2020"): ("", "Q", "")}, SECOND, has_comments=True)
    text = deltas.written(deltas.delta(old, new)).decode()
    assert "7777" not in text
    assert "told" not in text
    assert text.splitlines()[2:] == [
        f"dataflow,A:B(1.0.0),R,CL,M,2020,,Q,,A,{SECOND},2026-11-24,CC-BY-4.0",
        "dataflow,A:B(1.0.0),D,CL,F,2020,,,,,,,",
    ]


# ---------------------------------------------------------------- releases


def release_of(public: Path, name: str, figures: dict[tuple[str, ...], tuple[str, ...]], library: Library) -> None:
    """Make a release of the one table of `figures`, as publishing does, in place of the one that stands in `public`."""
    folder = public.with_name("next")
    tree = Tree(folder)
    tree.write([releases.snapshot_path(TABLE)], deltas.written(snapshot(figures, name, has_comments=True)))
    past, changes = releases.changes(
        releases.past(public).before(name), {TABLE: (folder / releases.snapshot_path(TABLE)).read_bytes()}
    )
    office = Settings((), (), (), "https://example.org", name, "es", {})
    for path, content in documents.passed_on(past):
        if content is None:
            tree.keep(public / path, path, Written(**past.listed[path]))
        else:
            tree.write([path], content)
    for change in changes:
        tree.write([change.path(name)], change.content)
    for path, content in documents.added(past, changes, Release((), {}, {("PE", "DF_STOCK"): "late"}), library, office):
        tree.write([path], content)
    path, content = documents.manifest(name, tree.written)
    tree.write([path], content)
    listed = {path: vars(each) for path, each in tree.written.items()}
    (folder / "manifest.json").write_text(json.dumps({"release": name, "files": listed}), encoding="utf-8")
    shutil.rmtree(public, ignore_errors=True)
    folder.rename(public)


def table(public: Path, of: tuple[str, str] = TABLE) -> pd.DataFrame:
    return deltas.read((public / releases.snapshot_path(of)).read_bytes())


OLD = {
    ("CL", "F", "2020"): ("12", "A", "x"),
    ("CL", "M", "2020"): ("7777", "A", ""),
    ("NO", "F", "2020"): ("5", "A", ""),
}
NEW = {**OLD, ("CL", "F", "2020"): ("13", "A", "x"), ("CL", "F", "2021"): ("20", "E", "")}
LATE = {key: value for key, value in NEW.items() if key[0] == "CL"}


@pytest.fixture
def public(tmp_path: Path, library: Library) -> Path:
    """A tree with three releases of one table."""
    for name, figures in ((FIRST, OLD), (SECOND, NEW), (THIRD, LATE)):
        release_of(tmp_path / "public", name, figures, library)
    return tmp_path / "public"


def test_every_release_can_be_had_again(public: Path) -> None:
    past = releases.past(public)
    assert list(past.changes) == [FIRST, SECOND, THIRD]
    for name, figures in ((FIRST, OLD), (SECOND, NEW), (THIRD, LATE)):
        found = releases.as_of(past, TABLE, name)
        assert found is not None
        assert comparable(found) == comparable(snapshot(figures, name, has_comments=True))
    assert releases.as_of(past, TABLE, "2026-11-23.1") is None
    assert releases.as_of(past, ("DF_STOCK", "PE"), THIRD) is None


def test_the_index_counts_what_each_release_changed(public: Path) -> None:
    index = json.loads((public / releases.INDEX).read_text(encoding="utf-8"))["releases"]
    assert [each["release"] for each in index] == [FIRST, SECOND, THIRD]
    assert [each["tables"][0]["observations"] for each in index] == [
        {"A": 3, "R": 0, "D": 0},
        {"A": 1, "R": 1, "D": 0},
        {"A": 0, "R": 0, "D": 1},
    ]
    assert [each["tables"][0]["is_whole"] for each in index] == [True, False, False]


def test_equal_bytes_have_no_delta(public: Path, library: Library) -> None:
    past = releases.past(public).before("2027-01-01.1")
    same = {TABLE: (public / releases.snapshot_path(TABLE)).read_bytes()}
    assert releases.changes(past, same)[1] == ()


def test_a_table_that_is_gone_is_deleted(public: Path) -> None:
    past = releases.past(public).before("2027-01-01.1")
    (change,) = releases.changes(past, {})[1]
    assert change.counts == {"A": 0, "R": 0, "D": 3}


def test_a_release_that_follows_leaves_the_earlier_as_they_are(public: Path, library: Library) -> None:
    before = {path: each for path, each in contents(public).items() if path.startswith(f"releases/{FIRST}/")}
    release_of(public, "2027-01-01.1", NEW, library)
    after = {path: each for path, each in contents(public).items() if path.startswith(f"releases/{FIRST}/")}
    assert before == after
    assert len(after) == 3


def test_the_same_release_made_again_is_the_same(public: Path, library: Library) -> None:
    before = contents(public)
    release_of(public, THIRD, LATE, library)
    assert contents(public) == before


def test_a_release_before_the_last_is_refused(public: Path) -> None:
    with pytest.raises(PublishError, match=f"release {THIRD} is out, and {SECOND} would come before it"):
        releases.past(public).before(SECOND)
    assert releases.moment("2026-11-24.10") > releases.moment("2026-11-24.9")


def test_an_earlier_release_that_was_tampered_with_is_not_passed_on(public: Path, library: Library) -> None:
    path = public / f"releases/{FIRST}/changes.md"
    path.write_text(path.read_text(encoding="utf-8") + "more", encoding="utf-8")
    with pytest.raises(PublishError, match=r"changes\.md of the standing release has been changed"):
        release_of(public, "2027-01-01.1", NEW, library)


def test_a_figure_that_is_withheld_now_cannot_be_read_from_what_stays_of_earlier_releases(
    public: Path, library: Library
) -> None:
    figures = {**LATE, ("CL", "M", "2020"): ("", "Q", "")}
    release_of(public, "2027-01-01.1", figures, library)
    everything = b"".join(path.read_bytes() for path in public.rglob("*") if path.is_file())
    assert b"7777" not in everything
    past = releases.past(public)
    assert releases.as_of(past, TABLE, THIRD) is None
    for name in (FIRST, SECOND, THIRD):
        listed = json.loads((public / f"releases/{name}/manifest.json").read_text(encoding="utf-8"))["files"]
        assert list(listed) == [f"releases/{name}/changes.md"]  # no checksum to try figures against
    found = releases.as_of(past, TABLE, "2027-01-01.1")
    assert found is not None
    assert comparable(found) == comparable(table(public))
    before = contents(public)
    release_of(public, "2027-01-01.1", figures, library)
    assert contents(public) == before


# ---------------------------------------------------------------- the whole flow


@pytest.mark.thorough
def test_publishing_keeps_the_releases_and_says_what_changed(office: Path) -> None:
    public = office / "build/public"
    assert run(office) == 0
    first = table(public, ("DF_BORDER", "XX"))
    explain(office)
    path = office / "data/XX/entradas.csv"
    path.write_bytes(path.read_bytes().replace(b"1.259", b"1.260").replace(b"1.234", b"1.235"))
    path = office / "publish.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(FIRST, SECOND), encoding="utf-8")
    assert run(office) == 0
    assert is_whole(public)
    past = releases.past(public)
    found = releases.as_of(past, ("DF_BORDER", "XX"), FIRST)
    assert found is not None
    assert comparable(found) == comparable(first)
    changed = {each.table: each.counts for each in past.changes[SECOND]}
    assert changed[("DF_BORDER", "XX")]["R"] > 0
    assert changed[("DF_STOCK", "XX")] == {"A": 0, "R": 0, "D": 0}  # the release of its figures alone is another
    text = (public / f"releases/{SECOND}/changes.md").read_text(encoding="utf-8")
    for said in ("## Español", "## English", "## Português", "Formularios tardíos", "Forms that came late"):
        assert said in text
    assert f"Cifras frente a las de la publicación {FIRST}." in text
