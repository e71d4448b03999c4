"""The three ways a run can stop.

    TrayectoError
    ├── SetupError    a file that we author is wrong: framework, layout, codes, publish.toml   (exit 2)
    ├── InputError    a table that came in cannot be opened or read                            (exit 1)
    └── PublishError  the release cannot be built or swapped in; the previous one stays        (exit 1)

Issues about data are values, collected in a `Report`; they are never raised. Anything else that
escapes is a bug (exit 3).
"""


class TrayectoError(Exception):
    """A failure that a person can mend; its text says where, what was found and what to do next."""

    exit_code = 3


class SetupError(TrayectoError):
    """An authored file of the framework or of a country is inconsistent."""

    exit_code = 2


class InputError(TrayectoError):
    """A delivered table cannot be opened, or is not what its layout says."""

    exit_code = 1


class PublishError(TrayectoError):
    """The release could not be completed; the one before it is untouched."""

    exit_code = 1
