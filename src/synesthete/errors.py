"""The errors that Synesthete raises on purpose.

::

    SynestheteError            exit status 1: a failure of ours, or of the machine
    ├── InputError             exit status 2: the user's input; says what, the limit and the remedy
    │   ├── ConfigError        an option, a preset or a configuration file
    │   ├── MediaError         a sound file that can't be used
    │   │   └── TruncatedError part of it can be used: ``--allow-truncated`` takes that part
    │   └── OutputError        a place that can't be written to
    ├── BusyError              another process works in the same run
    └── RenderError            a render failed half-way (disk full, encoder failure)

Every message is one sentence or two that a user can act on.
"""

__all__ = [
    "BusyError",
    "ConfigError",
    "InputError",
    "MediaError",
    "OutputError",
    "RenderError",
    "SynestheteError",
    "TruncatedError",
]


class SynestheteError(Exception):
    """Base of all errors raised on purpose; ``exit_status`` is what the CLI ends with."""

    exit_status = 1


class InputError(SynestheteError):
    """The user's input can't be used as it is."""

    exit_status = 2


class ConfigError(InputError):
    """An option, a preset or a configuration file is wrong."""


class MediaError(InputError):
    """A sound file can't be used."""


class TruncatedError(MediaError):
    """A sound file is damaged or cut off, but its beginning can be used."""


class OutputError(InputError):
    """The place that was named for output can't be written to."""


class BusyError(SynestheteError):
    """Another process holds the lock of the same run."""


class RenderError(SynestheteError):
    """A render failed half-way; what was finished before is kept."""
