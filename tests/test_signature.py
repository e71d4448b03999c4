"""The signature of a release, and releases that wait for their hour."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pipeline import commands, embargo, signature
from pipeline.errors import PublishError, SetupError
from pipeline.model import Release

LATER, EARLIER = "2999-01-01T09:00:00-03:00", "2001-01-01T09:00:00-03:00"


def pem(key: object, path: Path) -> Path:
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))  # type: ignore[attr-defined]
    return path


def fill(folder: Path, text: str = "12") -> Path:
    """A small release."""
    files = {"files/data.csv": text.encode(), "index.html": b"<p>"}
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    listed = {path: {"bytes": len(c), "sha256": hashlib.sha256(c).hexdigest()} for path, c in files.items()}
    manifest = {"release": "2026-11-24.1", "files": listed}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ed25519PrivateKey:
    monkeypatch.setenv(signature.KEY, str(pem(Ed25519PrivateKey.generate(), tmp_path / "key.pem")))
    found = signature.signing_key()
    assert found is not None
    return found


def test_a_signed_release_is_verified(tmp_path: Path, key: Ed25519PrivateKey) -> None:
    folder = fill(tmp_path / "public")
    assert "not signed" in signature.told(folder, None)
    signature.sign(folder, key)
    assert list(signature.faults(folder)) == []
    assert list(signature.faults(folder, folder / "manifest.pub")) == []
    first = (folder / "manifest.sig").read_bytes()
    signature.sign(folder, key)
    assert (folder / "manifest.sig").read_bytes() == first


def test_every_change_is_found(tmp_path: Path, key: Ed25519PrivateKey) -> None:
    folder = fill(tmp_path / "public")
    signature.sign(folder, key)
    (folder / "files/data.csv").write_text("13", encoding="utf-8")
    (folder / "index.html").unlink()
    (folder / "more.html").touch()
    assert list(signature.faults(folder)) == [
        "files/data.csv has been changed",
        "index.html is absent",
        "more.html is not of the release",
    ]
    fill(folder, "13")  # with a manifest that fits
    (folder / "more.html").unlink()
    assert list(signature.faults(folder)) == ["manifest.json is not what the holder of manifest.pub signed"]


def test_another_key_does_not_do(tmp_path: Path, key: Ed25519PrivateKey) -> None:
    folder, other = fill(tmp_path / "public"), fill(tmp_path / "other")
    signature.sign(folder, key)
    signature.sign(other, Ed25519PrivateKey.generate())
    assert list(signature.faults(folder, other / "manifest.pub")) == [
        "manifest.json is not what the holder of manifest.pub signed"
    ]
    (folder / "manifest.sig").unlink()
    assert list(signature.faults(folder, other / "manifest.pub")) != []  # a release that must be signed and is not
    with pytest.raises(PublishError, match="is no release"):
        list(signature.faults(tmp_path / "none"))


def test_a_key_that_cannot_sign_is_told_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, office: Path
) -> None:
    for path in (tmp_path / "none.pem", pem(generate_private_key(SECP256R1()), tmp_path / "ec.pem")):
        monkeypatch.setenv(signature.KEY, str(path))
        with pytest.raises(SetupError, match="openssl genpkey"):
            commands.publish(office, areas=[], flows=[], is_dry=False)
    assert not (office / "build").exists()
    monkeypatch.delenv(signature.KEY)
    assert signature.signing_key() is None


# ---------------------------------------------------------------- embargo


@pytest.fixture
def made(office: Path, monkeypatch: pytest.MonkeyPatch, library: object) -> Path:
    """An office whose runs make a small release at once."""

    def run(root: Path, *_: object, folder: Path, **__: object) -> Release:
        fill(folder, (root / "figure.txt").read_text(encoding="utf-8"))
        return Release(("package",), {}, {})  # type: ignore[arg-type]  # its packages are counted and nothing more

    monkeypatch.setattr("pipeline.run.run", run)
    monkeypatch.setattr(commands, "_report", lambda *_: None)
    monkeypatch.setattr(commands, "_tell", lambda *_, **__: None)
    monkeypatch.setattr("pipeline.summary.published", lambda *_, **__: [])
    monkeypatch.setattr("pipeline.publish.check", lambda *_, **__: None)
    (office / "figure.txt").write_text("12", encoding="utf-8")
    assert commands.publish(office, areas=[], flows=[], is_dry=False) == 0
    (office / "figure.txt").write_text("4711", encoding="utf-8")
    return office


def under_embargo(office: Path, until: str) -> None:
    path = office / "publish.toml"
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("embargo")]
    path.write_text("\n".join([*lines, f'embargo = "{until}"']) + "\n", encoding="utf-8")


def published(office: Path) -> str:
    return (office / "build/public/files/data.csv").read_text(encoding="utf-8")


def test_before_its_hour_nothing_of_a_release_can_be_read(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    under_embargo(made, LATER)
    assert commands.publish(made, areas=[], flows=[], is_dry=False) == 0
    assert "2999" in capsys.readouterr().out
    assert published(made) == "12"
    place = made / "build/embargoed"
    assert place.stat().st_mode & 0o077 == 0
    outside = [path for path in (made / "build").rglob("*") if path.is_file() and place not in path.parents]
    checksum = hashlib.sha256(b"4711").hexdigest().encode()
    assert not [path for path in outside if b"4711" in path.read_bytes() or checksum in path.read_bytes()]
    with pytest.raises(PublishError, match="under embargo until 2999"):
        commands.release(made)
    assert published(made) == "12"


def test_after_its_hour_it_goes_out_by_one_rename(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    under_embargo(made, LATER)
    commands.publish(made, areas=[], flows=[], is_dry=False)
    monkeypatch.setattr(embargo, "is_over", lambda *_: True)
    assert commands.release(made) == 0
    assert published(made) == "4711"
    assert (made / "build/public").stat().st_mode & 0o777 == 0o755
    assert not (made / "build/embargoed").exists()
    with pytest.raises(PublishError, match="no release waits"):
        commands.release(made)


def test_a_release_that_was_overtaken_does_not_go_out(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    under_embargo(made, LATER)
    commands.publish(made, areas=[], flows=[], is_dry=False)
    under_embargo(made, EARLIER)
    (made / "figure.txt").write_text("77", encoding="utf-8")
    commands.publish(made, areas=[], flows=[], is_dry=False)
    monkeypatch.setattr(embargo, "is_over", lambda *_: True)
    with pytest.raises(PublishError, match="another release went out"):
        commands.release(made)
    assert published(made) == "77"


def test_the_hour_says_its_distance_from_utc(made: Path) -> None:
    now = dt.datetime(2026, 12, 1, 11, 59, tzinfo=dt.UTC)
    assert not embargo.is_over("2026-12-01T09:00:00-03:00", now)
    assert embargo.is_over("2026-12-01T09:00:00-03:00", now + dt.timedelta(minutes=1))
    assert embargo.is_over("", now)
    under_embargo(made, "2026-12-01T09:00:00")
    with pytest.raises(SetupError, match="distance from UTC"):
        commands.publish(made, areas=[], flows=[], is_dry=False)
