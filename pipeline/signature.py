"""The signature of a release, and whether a folder is what was signed: Ed25519 (RFC 8032) over its manifest.

The private key is a PEM file outside the repository, named by the environment variable TRAYECTO_SIGNING_KEY. The
public key goes out beside the signature for convenience; whoever verifies holds it against one that came another way.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from pipeline.errors import PublishError, SetupError, Told

KEY = "TRAYECTO_SIGNING_KEY"
MANIFEST, SIGNATURE, PUBLIC_KEY = "manifest.json", "manifest.sig", "manifest.pub"
_UNLISTED = (MANIFEST, SIGNATURE, PUBLIC_KEY)
_MAKE_ONE = "Make one with: openssl genpkey -algorithm ed25519 -out key.pem"
_PIECE = 2**20


def signing_key() -> Ed25519PrivateKey | None:
    """The key that is configured; None where none is.

    Raises:
        SetupError: it cannot be used.
    """
    named = os.environ.get(KEY, "")
    if not named:
        return None
    try:
        key = load_pem_private_key(Path(named).read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        raise SetupError(
            "{variable} does not name a private key in PEM without a password. {make_one}",
            variable=KEY,
            make_one=Told(_MAKE_ONE),
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SetupError(
            "{variable} names a key that is not Ed25519. {make_one}", variable=KEY, make_one=Told(_MAKE_ONE)
        )
    return key


def sign(folder: Path, key: Ed25519PrivateKey) -> None:
    """Sign the manifest in `folder`, and put the public key beside the signature."""
    signature = key.sign((folder / MANIFEST).read_bytes())
    (folder / SIGNATURE).write_bytes(base64.b64encode(signature) + b"\n")
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / PUBLIC_KEY).write_bytes(public)


def faults(folder: Path, key: Path | None = None) -> Iterator[str]:
    """Yield what is wrong with a release: a file that is absent, changed or too many, or the signature.

    With a `key` the release must be signed with it; without one, a signature must fit the key beside it.

    Raises:
        PublishError: there is no release.
    """
    if not (folder / MANIFEST).is_file():
        raise PublishError("{folder}: there is no {file}, so this is no release.", folder=folder, file=MANIFEST)
    listed = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
    known: dict[tuple[int, int], str] = {}  # a file that stands under several addresses is read once
    for path, entry in listed.items():
        file = folder / path
        if not file.is_file():
            yield f"{path} is absent"
        elif _checksum(file, known) != entry["sha256"]:
            yield f"{path} has been changed"
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    for path in sorted(there - listed.keys() - set(_UNLISTED)):
        yield f"{path} is not of the release"
    if key is not None or (folder / SIGNATURE).exists():
        yield from _unsigned(folder, key or folder / PUBLIC_KEY)


def told(folder: Path, key: Path | None) -> str:
    """What holds of a release without faults."""
    content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    whole = f"{content['release']}: {len(content['files'])} files are as they were published"
    if not (folder / SIGNATURE).exists():
        return f"{whole}. It is not signed."
    return f"{whole}, and signed with {key or PUBLIC_KEY}."


def _checksum(file: Path, known: dict[tuple[int, int], str]) -> str:
    status = file.stat()
    same = (status.st_dev, status.st_ino)
    if same not in known:
        digest = hashlib.sha256()
        with file.open("rb") as content:
            while piece := content.read(_PIECE):
                digest.update(piece)
        known[same] = digest.hexdigest()
    return known[same]


def fits(content: bytes, signature: bytes, key: bytes) -> bool:
    """Whether the holder of a public key in PEM signed a manifest.

    Raises:
        ValueError: the signature or the key cannot be read, or the key is of another kind.
    """
    try:
        public = load_pem_public_key(key)
        written = base64.b64decode(signature, validate=False)
    except UnsupportedAlgorithm as error:
        raise ValueError from error
    if not isinstance(public, Ed25519PublicKey):
        raise ValueError  # noqa: TRY004  # it is what the file holds that is wrong
    try:
        public.verify(written, content)
    except InvalidSignature:
        return False
    return True


def _unsigned(folder: Path, key: Path) -> Iterator[str]:
    try:
        if not fits((folder / MANIFEST).read_bytes(), (folder / SIGNATURE).read_bytes(), key.read_bytes()):
            yield f"{MANIFEST} is not what the holder of {key.name} signed"
    except (OSError, ValueError):
        yield f"{SIGNATURE} or the public key {key.name} is absent, cannot be read or is not Ed25519"
