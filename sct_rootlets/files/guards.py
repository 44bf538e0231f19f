"""What results may not replace, found out before any work."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sct_rootlets.errors import UsageError
from sct_rootlets.files.places import require_places, try_places
from sct_rootlets.files.sidecar import sidecar_path, split_nifti
from sct_rootlets.files.standing import Standing, not_ours, place_of

__all__ = ["Planned", "refusal", "require_apart", "require_free", "require_no_input"]

#: How many files are named where several are in the way.
_NAMED = 20


@dataclass(frozen=True)
class Planned:
    """What is going to be written for one image, and whether it may replace what is there.

    Attributes
    ----------
    files : mapping of str to Path
        By what they are.
    overwrite : bool
        Whether what is not ours, or was changed, may be replaced.
    """

    files: Mapping[str, Path]
    overwrite: bool = False

    def without(self, *what: str) -> Planned:
        """Return the same without some of the files."""
        return Planned({k: v for k, v in self.files.items() if k not in what}, self.overwrite)

    def require_free(
        self, inputs: Iterable[str | os.PathLike[str]] = (), *, attempt: bool = True
    ) -> None:
        """Raise as :func:`require_free`."""
        require_free(self.files.values(), inputs, overwrite=self.overwrite, attempt=attempt)


def require_free(
    files: Iterable[Path],
    inputs: Iterable[str | os.PathLike[str]] = (),
    *,
    overwrite: bool = False,
    attempt: bool = True,
) -> None:
    """Raise unless `files` can be written without harm; call it with all of them before any work.

    Parameters
    ----------
    files : iterable of Path
        All files to write; the sidecars of images are added.
    inputs : iterable of path-like
        Files that were read and must stay as they are.
    overwrite : bool
        Whether files that are not ours, or were changed since we wrote them, may be replaced.
    attempt : bool
        Whether a file is made in each folder to see that it can be; False where further files
        are looked at later.

    Raises
    ------
    UsageError
        If an output is an input, two outputs are one file, or a file would be replaced that is
        not as we wrote it.
    RootletsError
        If one of them cannot be written where it is to go.
    """
    named = list(files)
    _require_distinct(named)
    planned = _with_sidecars(named)
    require_no_input(planned, inputs)
    require_places(planned)
    if not overwrite and (kept := not_ours(planned)):
        raise refusal(kept)
    if attempt:
        try_places(planned)


def refusal(kept: Mapping[Path, Standing]) -> UsageError:
    """Return what to raise where files would be replaced that are not ours: all are named."""
    remedy = "Choose another name or folder for the results, or replace what is there: -overwrite 1"
    mask = next((path for path in kept if split_nifti(path)[1].endswith("_seg")), None)
    if mask is not None:
        remedy = f"Use the cord mask with -s {mask}, {remedy[:1].lower()}{remedy[1:]}"
    if len(kept) == 1:
        ((path, found),) = kept.items()
        return UsageError(f"{found.value}, and would be replaced", path=path, remedy=remedy)
    told = [f"{path} {found.value}" for path, found in kept.items()]
    more = f"; and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    return UsageError(
        f"{len(kept)} files are there that would be replaced: {'; '.join(told[:_NAMED])}{more}",
        remedy=remedy,
    )


def require_apart(
    planned: Sequence[tuple[str | os.PathLike[str], Iterable[Path]]],
) -> None:
    """Raise unless what is to be written for several images has names of its own.

    Parameters
    ----------
    planned : sequence of (path-like, iterable of Path)
        Images, and what is to be written for each of them. Images have a sidecar besides.

    Raises
    ------
    UsageError
        If two of them would write the same file.
    """
    owners: dict[Path, str] = {}
    for image, outputs in planned:
        # Two outputs that differ in their extension only would still share the sidecar.
        paths = {place_of(path): path for path in _with_sidecars(outputs)}
        clash = next((place for place in paths if place in owners), None)
        if clash is not None:
            raise UsageError(
                f"would be written for {owners[clash]} and again for {image}",
                path=paths[clash],
                remedy="Give every output a name of its own with -o, or a folder",
            )
        owners |= dict.fromkeys(paths, os.fspath(image))


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


def _with_sidecars(files: Iterable[Path]) -> list[Path]:
    """Return files and the sidecars of the images among them, each once."""
    paths = list(files)
    return list(dict.fromkeys([*paths, *_sidecars(paths)]))


def _sidecars(files: Iterable[Path]) -> list[Path]:
    return [sidecar_path(path) for path in files if split_nifti(path)[2]]


def _require_distinct(files: Sequence[Path]) -> None:
    """Raise a `UsageError` if two outputs are one file, or two images would share a sidecar."""
    for paths in (files, _sidecars(files)):
        seen: set[Path] = set()
        for path in paths:
            if place_of(path) in seen:
                raise UsageError(
                    "would be written twice, as two different things",
                    path=path,
                    remedy="Give every output a name of its own",
                )
            seen.add(place_of(path))


def _identity(path: str | os.PathLike[str]) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:  # it does not exist
        return None
    return found.st_dev, found.st_ino
