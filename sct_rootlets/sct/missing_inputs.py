"""What a run needs besides the image: given, manual, at hand, or made by SCT's commands.

What SCT cannot make is said and left out, so that nothing here fails a run that can do
without. What the user gave, or put under ``derivatives/labels``, is used or is an error.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sct_rootlets.errors import RootletsError
from sct_rootlets.files.sidecar import split_nifti
from sct_rootlets.files.standing import Standing, standing
from sct_rootlets.inputs import read_image
from sct_rootlets.sct.commands import Runner
from sct_rootlets.sct.installation import SctInstallation, find_sct
from sct_rootlets.sct.making import KINDS, Maker, check_usable
from sct_rootlets.sct.manual import SUFFIXES, find_manual, require_fetched
from sct_rootlets.sct.recipes import AT_HAND
from sct_rootlets.store.home import is_offline

if TYPE_CHECKING:
    from sct_rootlets.engines import Progress

__all__ = [
    "KINDS",
    "MadeInputs",
    "Making",
    "USE",
    "find_manual",
    "make_missing",
    "sct_to_use",
    "supplier",
]

logger = logging.getLogger(__name__)

#: Environment variable that, with the value 0, says as ``-sct 0`` that SCT is not used.
USE = "SCT_ROOTLETS_SCT"

#: What follows where SCT cannot make something, and what to do.
_WITHOUT = {
    "cord": "The model's own is used, if it makes one; another can be given with -s",
    "discs": "They can be given with -discs, and C2/C3 alone, value 3, is enough",
    "pmj": "The table has no distances from it; it can be given with -pmj",
}


@dataclass(frozen=True)
class MadeInputs:
    """Inputs, and where each came from.

    Attributes
    ----------
    paths : mapping of str to Path
        Files by kind (``cord``, ``discs``, ``pmj``), those that there are.
    origins : mapping of str to str
        By kind: ``"given"``, ``"manual"``, ``"at hand"``, ``"SCT <version>: <command line>"``
        with the names of files only, or ``"none: <reason>"``. Kinds that nobody tried to make
        are left out.
    warnings : tuple of str
        What a user should know; logged already.
    """

    paths: Mapping[str, Path]
    origins: Mapping[str, str]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Making:
    """How inputs are made.

    Attributes
    ----------
    volume : int, optional
        Volume of a 4D image, from 0.
    threads : int, optional
        Processor threads for SCT.
    offline : bool, optional
        Whether the network is forbidden; by default what ``SCT_ROOTLETS_OFFLINE`` says.
    progress : callable, optional
        Called as ``progress(stage, done, total)``.
    say : callable, optional
        Is given lines for the user.
    """

    volume: int | None = None
    threads: int | None = None
    offline: bool | None = None
    progress: Progress | None = None
    say: Callable[[str], None] = lambda text: None


def supplier(
    image: Path,
    folder: Path,
    *,
    given: Mapping[str, Path | None],
    named: bool = False,
    rootlets_from: str = "",
    use: str | None = None,
    making: Making = Making(),
) -> Callable[[bool], MadeInputs] | None:
    """Return what :func:`sct_rootlets.pipeline.run` calls for the inputs it was not given.

    None where there is nothing to find and nobody to make it.

    Parameters
    ----------
    image, folder : Path
        The image, and where results go; the log is ``<image>_sct.log`` there.
    given : mapping of str to Path or None
        What the user gave, by kind.
    named : bool
        Whether something else than discs names the levels, so that discs are not made.
    rootlets_from : str, optional
        Where rootlets that are not predicted come from. A cord mask beside them is theirs, and is
        used whoever made it, with or without SCT.
    use : str, optional
        ``"0"`` never to use SCT, ``"auto"`` to use the one that is found; by default what the
        environment variable ``SCT_ROOTLETS_SCT`` says, else ``"auto"``.
    making : Making
    """
    wanted = [kind for kind in KINDS if not (named and kind == "discs")]
    sct = sct_to_use(use)
    if sct is None and not rootlets_from and not find_manual(image):
        return None

    def supply(has_levels: bool) -> MadeInputs:
        made = make_missing(
            image,
            folder,
            sct=sct,
            given=given,
            wanted=wanted,
            needed=() if has_levels else ("discs",),
            with_rootlets=bool(rootlets_from),
            making=making,
        )
        if not rootlets_from:
            return made
        return replace(made, origins={"rootlets": rootlets_from, **made.origins})

    return supply


def sct_to_use(use: str | None = None) -> SctInstallation | None:
    """Return the SCT that is found, None where it is not to be used; see :func:`supplier`."""
    use = use or os.environ.get(USE, "").strip()
    return None if use == "0" else find_sct()


def make_missing(
    image: Path,
    folder: Path,
    *,
    sct: SctInstallation | None,
    given: Mapping[str, Path | None],
    wanted: Collection[str],
    needed: Collection[str] = (),
    with_rootlets: bool = False,
    making: Making = Making(),
) -> MadeInputs:
    """Find what is not given, or have SCT make it.

    What is given comes first, then manual files of the dataset (:func:`find_manual`). With SCT
    there follow files at hand, by SCT's names in `folder` or beside the image, and then its
    commands. They work in a temporary folder; a result that can be used is put into `folder`
    whole, with a sidecar that names the command. Nothing is replaced but a mask that this
    package has predicted itself, and that nobody has changed since.

    Parameters
    ----------
    image : Path
    folder : Path
        Where results go, and ``<image>_sct.log`` with the command lines and all that they
        print; made if missing.
    sct : SctInstallation or None
        Without it nothing is made, and what is at hand is left to the caller.
    given : mapping of str to Path or None
        By kind, see :class:`MadeInputs`.
    wanted : collection of str
        Kinds to find or make where they are not given.
    needed : collection of str
        Kinds without which there is no result. For others no large model is downloaded.
    with_rootlets : bool
        Whether rootlets are at hand too, so that a cord mask beside them is used in any case.
    making : Making

    Raises
    ------
    InputError
        If the image, or a manual file or one at hand, cannot be used.
    """
    paths = {kind: path for kind in KINDS if (path := given.get(kind)) is not None}
    origins = dict.fromkeys(paths, "given")
    missing = [kind for kind in KINDS if kind in wanted and kind not in paths]
    ours = ("cord",) if with_rootlets and sct is None else ()
    at_hand = ours if sct is None else tuple(KINDS)
    found = _found(image, folder, missing, at_hand=at_hand, ours=ours)
    missing = [kind for kind in missing if kind not in found]
    warnings: list[str] = []

    def warn(text: str) -> None:
        logger.warning(text)
        warnings.append(text)

    if not found and (not missing or sct is None):
        return MadeInputs(paths, origins, tuple(warnings))
    reference, say = read_image(image, making.volume), making.say
    for kind, (path, origin) in found.items():
        say(f"{KINDS[kind][:1].upper()}{KINDS[kind][1:]}: {path} ({origin})")
        check_usable(kind, path, reference)
        paths[kind], origins[kind] = path, origin
    if sct is None or not missing:
        return MadeInputs(paths, origins, tuple(warnings))
    names = ", ".join(KINDS[kind] for kind in missing)
    log = folder / f"{split_nifti(image)[1]}_sct.log"
    say(f"Not given, so made by SCT {sct.version} (log: {log}): {names}")
    runner = Runner(sct, log, making.threads, making.progress, lambda line: say(f"  {line}"))
    with tempfile.TemporaryDirectory(prefix="sctr-") as temporary:
        # Command lines end with its name in sidecars, which should not differ from run to run.
        scratch = Path(temporary, "sct")
        scratch.mkdir()
        maker = Maker(image, reference, making.volume is not None, folder, scratch, runner, say)
        for kind in missing:
            may_download = not is_offline(making.offline) and (kind != "discs" or kind in needed)
            try:
                path, line = maker.make(kind, paths.get("cord"), may_download=may_download)
            except RootletsError as error:
                warn(f"No {KINDS[kind]} by SCT: {error}. {_WITHOUT[kind]}")
                origins[kind] = f"none: {error.problem}"
            else:
                paths[kind], origins[kind] = path, f"SCT {sct.version}: {line}"
    return MadeInputs(paths, origins, tuple(warnings))


def _found(
    image: Path,
    folder: Path,
    missing: Collection[str],
    *,
    at_hand: Collection[str],
    ours: Collection[str],
) -> dict[str, tuple[Path, str]]:
    """Return what is there already of the kinds that are missing, and how it came there.

    Beside manual files those `at_hand` count, and of the kinds `ours` also files that this
    package has predicted.
    """
    manual = find_manual(image)
    found: dict[str, tuple[Path, str]] = {}
    stem = split_nifti(image)[1]
    for kind in missing:
        path = manual.get(kind)
        if path is not None:
            require_fetched(path, KINDS[kind])
            found[kind] = (path, "manual")
        elif kind in at_hand:
            names = [
                f"{stem}{suffix}{extension}"
                for suffix in (*SUFFIXES[kind], *AT_HAND[kind])
                for extension in (".nii.gz", ".nii")
            ]
            files = (place / name for place in (folder, image.parent) for name in names)
            for file in files:
                # A mask that this package has predicted, and nobody corrected, gives way to SCT's.
                if file.exists() and (kind in ours or standing(file) is not Standing.OURS):
                    found[kind] = (file, "at hand")
                    break
    return found
