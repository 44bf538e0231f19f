"""What results may not replace, found out before any work."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from sct_rootlets.errors import RootletsError, UsageError
from sct_rootlets.files.sidecar import is_generated_here, sidecar_path

__all__ = ["require_apart", "require_free", "require_no_input"]

#: What images that are not replaced are called, and what to do instead.
_FOREIGN = {
    "cord": ("a cord mask", "Use it with -s {path}, or choose another folder for the results"),
    "levels": ("a label image", "Name another file with -o, or another folder"),
}


def require_apart(
    planned: Sequence[tuple[str | os.PathLike[str], Iterable[Path]]],
) -> None:
    """Raise unless what is to be written for several images has names of its own.

    Parameters
    ----------
    planned : sequence of (path-like, iterable of Path)
        Images, and what is to be written for each of them. Each has a sidecar besides.

    Raises
    ------
    UsageError
        If two of them would write the same file.
    """
    owners: dict[Path, str] = {}
    for image, outputs in planned:
        for output in outputs:
            # Two outputs that differ in their extension only would still share the sidecar.
            paths = (output, sidecar_path(output))
            clash = next((path for path in paths if path.resolve() in owners), None)
            if clash is not None:
                raise UsageError(
                    f"would be written for {owners[clash.resolve()]} and again for {image}",
                    path=clash,
                    remedy="Give every output a name of its own with -o, or a folder",
                )
            owners |= {path.resolve(): os.fspath(image) for path in paths}


def require_free(
    files: Mapping[str, Path],
    inputs: Iterable[str | os.PathLike[str]] = (),
    *,
    keep: Collection[str] = ("cord",),
) -> None:
    """Raise unless `files` can be written without harm; call it before any work.

    Parameters
    ----------
    files : mapping of str to Path
        Files to write, by what they are. Those that exist are taken for results of an
        earlier run, but for those in `keep`.
    inputs : iterable of path-like
        Files that were read and must stay as they are.
    keep : collection of str
        Images that are somebody's work and never replaced where this package did not make
        them, by their sidecar: the ``cord`` mask, and whatever has a name that the user did
        not choose.

    Raises
    ------
    UsageError
        If an output is an input, or would replace an image or a sidecar of somebody else.
    RootletsError
        If the folder cannot be written to.
    """
    require_no_input((*files.values(), *map(sidecar_path, files.values())), inputs)
    for output in files.values():
        _require_writable(output)
    for what, path in files.items():
        if what in keep and path.exists() and not is_generated_here(path):
            name, remedy = _FOREIGN[what]
            raise UsageError(
                f"is {name} that sct_rootlets did not make, and would be replaced",
                path=path,
                remedy=remedy.format(path=path),
            )
    levels = files.get("levels")
    if levels is not None and sidecar_path(levels).exists() and not is_generated_here(levels):
        raise UsageError(
            "is a sidecar that sct_rootlets did not make, and would be replaced",
            path=sidecar_path(levels),
            remedy="Choose another name for the levels",
        )


def require_no_input(
    outputs: Iterable[str | os.PathLike[str]], inputs: Iterable[str | os.PathLike[str]]
) -> None:
    """Raise a `UsageError` if an output is an input, by whatever name."""
    read = {_identity(path) for path in inputs} - {None}
    clash = next((path for path in outputs if _identity(path) in read), None)
    if clash is not None:
        raise UsageError(
            "is an input, and would be replaced by an output",
            path=clash,
            remedy="Choose another name or folder for the output",
        )


def _identity(path: str | os.PathLike[str]) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:  # it does not exist
        return None
    return found.st_dev, found.st_ino


def _require_writable(path: Path) -> None:
    # By os.path: pathlib raises where a folder above may not be entered.
    if os.path.isdir(path):
        raise UsageError("is a folder, not a file to write", path=path)
    above = next(parent for parent in path.parents if os.path.exists(parent))
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        raise RootletsError(
            "is not writable" if above.is_dir() else "is not a folder",
            path=above.absolute(),
            remedy="Choose another folder for the results",
        )
