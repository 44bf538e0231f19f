"""An entry of ours in SCT's QC report, made by SCT itself.

SCT's Python runs a small script of ours (`qc_entry`), so that the lock, the list of entries and
the page are SCT's own, also when several commands add to one report at the same time.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sct_rootlets.errors import RootletsError, UsageError
from sct_rootlets.files.bids import SESSION, SUBJECT
from sct_rootlets.sct.installation import SctInstallation, find_sct, run_python

if TYPE_CHECKING:
    from sct_rootlets.qc.mosaic import Mosaic

__all__ = ["HasMosaic", "add_entry", "add_result", "bids_names", "require_names"]

logger = logging.getLogger(__name__)

#: SCT waits up to 60 s for others that write to the report, after loading for some seconds.
TIMEOUT_S = 180.0

_SCRIPT = Path(__file__).with_name("qc_entry.py")


def add_entry(
    sct: SctInstallation,
    folder: str | os.PathLike[str],
    *,
    image: str | os.PathLike[str],
    background: bytes,
    overlay: bytes,
    command: str,
    cmdline: str,
    dataset: str | None = None,
    subject: str | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Path:
    """Add one entry to SCT's QC report in `folder`, which is made if it is missing.

    Parameters
    ----------
    sct : SctInstallation
    folder : path-like
        As SCT's option ``-qc``.
    image : path-like
        The image that was worked on. The entry has its name and that of its folder.
    background, overlay : bytes
        PNG files of the same size; the page shows and hides the second one over the first.
    command, cmdline : str
        Name of the command, and all of its words.
    dataset, subject : str, optional
        As SCT's options ``-qc-dataset`` and ``-qc-subject``; by default :func:`bids_names`, and
        where the path has none, the names of folders, as SCT takes them.
    timeout_s : float
        Seconds after which SCT is given up.

    Returns
    -------
    Path
        The page, ``index.html``.

    Raises
    ------
    UsageError
        If `dataset` or `subject` would lead out of the folder.
    RootletsError
        If SCT cannot be started, does not answer in time, has another QC report than this
        package knows, or cannot write to the folder.
    """
    require_names(dataset, subject)
    # A link is not followed: those of DataLad point to files whose names say nothing.
    path = Path(os.path.abspath(image))
    of_bids = bids_names(path)
    qc = Path(os.path.abspath(folder))
    with tempfile.TemporaryDirectory(prefix="sct_rootlets_qc_") as temporary:
        files = {"background": background, "overlay": overlay}
        places = {name: str(Path(temporary, f"{name}.png")) for name in files}
        for name, content in files.items():
            Path(places[name]).write_bytes(content)
        entry = {
            "path_input": str(path),
            "path_qc": str(qc),
            "command": command,
            "cmdline": cmdline,
            "plane": "Axial",
            "dataset": of_bids[0] if dataset is None else dataset,
            "subject": of_bids[1] if subject is None else subject,
        }
        answer = _run(sct, json.dumps({**places, "entry": entry}), qc, timeout_s)
    page = Path(answer)
    if not page.is_file():
        raise RootletsError(
            "SCT made its QC report without this page",
            path=page,
            remedy=f"SCT {sct.version} may have another report than sct_rootlets knows",
        )
    return page


def bids_names(image: Path) -> tuple[str | None, str | None]:
    """Return data set and subject of a file of a BIDS data set, None for what is not known.

    Examples
    --------
    >>> bids_names(Path("/data/spine/sub-01/ses-B/anat/sub-01_ses-B_T2w.nii.gz"))
    ('spine', 'sub-01/ses-B')
    >>> bids_names(Path("/data/spine/derivatives/labels/sub-01/anat/sub-01_T2w_seg.nii.gz"))
    ('spine', 'sub-01')
    >>> bids_names(Path("/data/t2/sub-01_T2w.nii.gz"))
    (None, 'sub-01')
    >>> bids_names(Path("/data/t2/t2.nii.gz"))
    (None, None)

    Notes
    -----
    SCT counts folders: data set / subject / contrast / file. With sessions that makes the
    subject the data set, and ``labels`` is the data set of everything below derivatives. A
    subject with its session is named as ``sct_run_batch`` names it.
    """
    folders = list(image.parts[:-1])
    for k in reversed(range(len(folders))):
        if not SUBJECT.fullmatch(folders[k]):
            continue
        session = folders[k + 1 : k + 2]
        subject = "/".join([folders[k], *(name for name in session if SESSION.fullmatch(name))])
        above = folders[:k]
        if "derivatives" in above[1:]:
            above = above[: len(above) - 1 - above[::-1].index("derivatives")]
        return (above[-1] if len(above) > 1 else None), subject
    entity = SUBJECT.match(image.name)
    return None, entity.group() if entity else None


def require_names(*names: str | None) -> None:
    """Raise a `UsageError` if a name of a data set or subject would lead out of the report."""
    for name in names:
        if name is not None and (Path(name).is_absolute() or ".." in Path(name).parts):
            raise UsageError(
                f"'{name}' names a folder outside the QC report",
                remedy="Give -qc-dataset and -qc-subject without '/' at the start and without '..'",
            )


def _run(sct: SctInstallation, argument: str, folder: Path, timeout_s: float) -> str:
    """Run the script in SCT's Python; return the path of the page."""
    try:
        done = run_python(sct.python, _SCRIPT, argument, timeout_s=timeout_s)
    except OSError as error:
        raise RootletsError(
            f"the Python of SCT cannot be started ({error.strerror})",
            path=sct.python,
            remedy="Check the installation of SCT with sct_check_dependencies",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise RootletsError(
            f"SCT did not add to its QC report within {timeout_s:.0f} s",
            path=folder,
            remedy="If many commands write to this report at once, give each its own folder",
        ) from error
    logger.debug("SCT, on its QC report: %s", done.stderr.strip())
    lines = done.stdout.strip().splitlines()
    if done.returncode == 0 and lines:
        try:
            return str(json.loads(lines[-1])["index"])
        except (ValueError, TypeError, KeyError):
            pass
    said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
    raise RootletsError(
        f"SCT could not add to its QC report: {said[-1]}",
        path=folder,
        remedy=_remedy(said[-1], sct),
    )


def _remedy(last_line: str, sct: SctInstallation) -> str:
    """Return what to do about the last line of a traceback of the script."""
    kind = last_line.split(":")[0].rsplit(".")[-1]
    if kind in ("ImportError", "ModuleNotFoundError", "TypeError", "KeyError", "ValueError"):
        return f"SCT {sct.version} has another QC report than sct_rootlets knows (7.x)"
    if kind in ("PermissionError", "FileExistsError", "NotADirectoryError", "OSError"):
        return "Name another folder with -qc"
    if kind in ("AlreadyLocked", "LockException"):
        return "Others are writing to it; run again, or give each its own folder"
    return "Look at what SCT says with -v 2"


class HasMosaic(Protocol):
    """What can be shown in SCT's report."""

    def mosaic(self, *, left_on_left: bool = ...) -> Mosaic:
        """Return its pictures, as SCT shows them with the left on the left."""


def add_result(
    result: HasMosaic,
    folder: str | os.PathLike[str],
    *,
    image: str | os.PathLike[str],
    command: str,
    cmdline: str,
    dataset: str | None = None,
    subject: str | None = None,
) -> tuple[Path, SctInstallation] | None:
    """Add an entry about a result to SCT's report, where SCT is installed.

    What it is about is written already, so that a failure here is a warning.

    Parameters
    ----------
    result : HasMosaic
    folder, image, command, cmdline, dataset, subject
        As :func:`add_entry` takes them.

    Returns
    -------
    Path, SctInstallation
        SCT's page and the SCT; None where there is no SCT, or it added nothing.
    """
    try:
        sct = find_sct()
        if sct is None:
            return None
        mosaic = result.mosaic(left_on_left=True)
        page = add_entry(
            sct,
            folder,
            image=image,
            background=mosaic.background,
            overlay=mosaic.overlay,
            command=command,
            cmdline=cmdline,
            dataset=dataset,
            subject=subject,
        )
    except Exception as error:  # noqa: BLE001 - the results and our page are there all the same
        logger.warning(f"no entry was added to SCT's QC report: {error}")
        return None
    return page, sct
