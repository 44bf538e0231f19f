"""Errors that name the file, what is wrong with it, and what to do.

Library code raises these and never exits; the command line turns them into one
message and an exit status: 2 where the command line itself has to change
(:class:`UsageError`), 1 for every other failure.
"""

from __future__ import annotations

import os

__all__ = [
    "RootletsError",
    "ArchiveError",
    "DownloadError",
    "InputError",
    "IntegrityError",
    "MissingDependencyError",
    "ModelError",
    "OutputError",
    "StoreError",
    "UsageError",
]


class RootletsError(Exception):
    """Base of every error this package raises on purpose.

    Parameters
    ----------
    problem : str
        What is wrong, as a sentence without a final stop.
    path : path-like, optional
        The file or folder it is about.
    remedy : str, optional
        What the user can do about it.
    """

    exit_status = 1

    def __init__(
        self, problem: str, *, path: str | os.PathLike[str] | None = None, remedy: str = ""
    ) -> None:
        self.problem = problem
        self.path = None if path is None else os.fspath(path)
        self.remedy = remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        text = self.problem if self.path is None else f"{self.path}: {self.problem}"
        return f"{text}. {self.remedy}" if self.remedy else text


class InputError(RootletsError):
    """An input file that cannot be used as it is."""


class OutputError(RootletsError):
    """A file that cannot be written, or moved in; `error` is why."""

    error: OSError


class ModelError(RootletsError):
    """A model folder that is missing, incomplete or of a kind not supported."""


class DownloadError(RootletsError):
    """A file that no address gave: not there, no answer, cut, or a web page instead."""


class IntegrityError(RootletsError):
    """Bytes that are whole, but not those that were promised: another size or sha256."""


class ArchiveError(RootletsError):
    """An archive that is damaged, or that holds something no model needs and is refused."""


class StoreError(RootletsError):
    """A folder of the store that cannot be used: full, read-only, or not as it should be."""


class MissingDependencyError(RootletsError):
    """A package that this step needs and that is not installed."""


class UsageError(RootletsError):
    """The command line has to change: an option is missing or has a bad value."""

    exit_status = 2
