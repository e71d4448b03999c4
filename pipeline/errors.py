"""The three ways a run can stop.

    TrayectoError
    ├── SetupError    a file that we author is wrong: framework, layout, codes, publish.toml   (exit 2)
    ├── InputError    a table that came in cannot be opened or read                            (exit 1)
    └── PublishError  the release cannot be built or swapped in; the previous one stays        (exit 1)

Issues about data are values, collected in a `Report`; they are never raised. Anything else that
escapes is a bug (exit 3).

Each is raised with an English template and the facts that fill it; `site/text/errors.*.toml` gives
the template in the other languages, as gettext does.
"""

from __future__ import annotations

import errno
from collections.abc import Collection
from functools import partial
from typing import Any

from pipeline.framework import LANGUAGES


class Told:
    """A template and the facts that fill it; a fact may itself be told."""

    def __init__(self, template: str, **facts: object) -> None:
        self.template, self.facts = template, facts

    def said(self, language: str) -> str:
        """The text in one language, in English where that has no such template."""
        from pipeline.texts import texts  # brings the templates of pages, which most errors never need

        facts = {name: each.said(language) if isinstance(each, Told) else each for name, each in self.facts.items()}
        template = self.template if language == "en" else texts("errors", language).get(self.template, self.template)
        return template.format(**facts)

    def __str__(self) -> str:
        return self.said("en")


def in_sheet(file: str, sheet: str) -> Told:
    """Where something stands: a file, and its sheet if it has any."""
    return Told('{file}, sheet "{sheet}"', file=file, sheet=sheet) if sheet else Told("{file}", file=file)


class TrayectoError(Exception):
    """A failure that a person can mend; its text says where, what was found and what to do next."""

    exit_code = 3

    def __init__(self, template: str, **facts: object) -> None:
        self.told = Told(template, **facts)
        super().__init__(str(self.told))

    def __reduce__(self) -> tuple[Any, ...]:
        """It can come out of another process."""
        return partial(type(self), self.told.template, **self.told.facts), ()

    def text(self) -> dict[str, str]:
        """What it says, by language."""
        return {language: self.told.said(language) for language in LANGUAGES}


# What a machine answers when a disk or a network share, and no program, is at fault.
_OF_THE_MACHINE = {
    getattr(errno, name, -1)
    for name in ("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EPERM", "EIO", "ESTALE", "ENOTCONN", "EHOSTDOWN",
                 "ETIMEDOUT", "EMFILE", "ENFILE", "ENOMEM")
}  # fmt: skip


def of_the_machine(error: BaseException) -> TrayectoError | None:
    """The fault of a disk, a network share or the memory as one that a person can mend; None for any other."""
    if isinstance(error, MemoryError):
        return PublishError("There is not enough memory. Nothing of the release that stands was changed.")
    if not isinstance(error, OSError) or error.errno not in _OF_THE_MACHINE:
        return None
    return PublishError(
        "{file}: {reason}. Look whether the disk is full, may be written to, or is out of reach. Nothing of the "
        "release that stands was changed.",
        file=error.filename or Told("a file"),
        reason=error.strerror,
    )


class SetupError(TrayectoError):
    """An authored file of the framework or of a country is inconsistent."""

    exit_code = 2


class InputError(TrayectoError):
    """A delivered table cannot be opened, or is not what its layout says."""

    exit_code = 1


class PublishError(TrayectoError):
    """The release could not be completed; the one before it is untouched."""

    exit_code = 1


def must_be_known(asked: Collection[str], known: Collection[str], what: Told) -> None:
    """Stop at the first name that is not one of those that are known.

    Raises:
        SetupError: naming it and all that there are.
    """
    for each in asked:
        if each not in known:
            listed = ", ".join(sorted(known))
            raise SetupError('"{each}" is not a {what}; known are {known}', each=each, what=what, known=listed)
