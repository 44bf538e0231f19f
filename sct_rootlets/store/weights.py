"""Keep what inference needs of a checkpoint in files that cannot carry code.

At install a checkpoint is read once, as :mod:`sct_rootlets.checkpoint` describes; from then
on its ``.pth`` is not opened again.
"""

from __future__ import annotations

import os
from pathlib import Path

from sct_rootlets.checkpoint import converted_files, read_pth, write_converted
from sct_rootlets.errors import ModelError
from sct_rootlets.files.hashing import file_sha256
from sct_rootlets.files.outputs import OutputSet

__all__ = ["code_files", "convert_checkpoint"]

#: Endings of files that Python, a shell or the system's loader would run.
# fmt: off
_CODE_ENDINGS = frozenset((
    ".py", ".pyw", ".pyc", ".pyo", ".pyd", ".so", ".dll", ".dylib", ".exe", ".sh", ".bat", ".cmd",
    ".ps1", ".pkl", ".pickle",
))
# fmt: on

#: Where nnU-Net itself writes pickles, of how a case was resampled; inference reads none.
_PICKLE_FOLDERS = ("validation", "validation_raw", "crossval_results")


def convert_checkpoint(pth: Path, folder: Path, *, trust_code: bool = False) -> tuple[Path, Path]:
    """Write the weights and the facts of a checkpoint into `folder`, both or neither.

    Parameters
    ----------
    pth : Path
        Checkpoint of nnU-Net version 2.
    folder : Path
        Usually the one that `pth` is in, where the engines look. Files of the same names
        are replaced.
    trust_code : bool
        Read a checkpoint that holds more than weights all the same, and so run whatever
        code it carries.

    Returns
    -------
    tuple of Path
        ``<stem>.safetensors``, and ``<stem>.json`` with what else inference needs.

    Raises
    ------
    ModelError
        If the checkpoint holds more than weights, which is named; or if it is a link,
        damaged, or lacks what inference needs.
    MissingDependencyError
        If torch or safetensors is not installed.
    """
    if pth.is_symlink():
        raise ModelError(
            "the checkpoint is a link to another file", path=pth, remedy="Give the file itself"
        )
    checkpoint = read_pth(pth, trust_code=trust_code)
    source = {"file": pth.name, "sha256": file_sha256(pth), "size_bytes": pth.stat().st_size}
    weights, facts = converted_files(folder / pth.name)
    with OutputSet() as outputs:  # in this order: the facts vouch for the weights
        write_converted(checkpoint, outputs.stage(weights), outputs.stage(facts), source)
        facts.unlink(missing_ok=True)
    return weights, facts


def code_files(folder: Path) -> list[Path]:
    """Return the files of a model's folder that are code, or a pickle that could carry some.

    The checkpoints are not among them: :func:`convert_checkpoint` judges those. Nor are the
    pickles in nnU-Net's own folders of validation results, which nothing here reads. Links to
    folders are not followed.
    """
    found = []
    for parent, _, names in os.walk(folder):
        inside = Path(parent).relative_to(folder).parts
        written_by_nnunet = any(part.startswith(_PICKLE_FOLDERS) for part in inside)
        for name in names:
            endings = {f".{part}" for part in name.lower().split(".")[1:]}
            last = f".{name.lower().rpartition('.')[2]}" if "." in name else ""
            is_code = last in _CODE_ENDINGS or ".so" in endings
            if is_code and not (written_by_nnunet and last in (".pkl", ".pickle")):
                found.append(Path(parent) / name)
    return sorted(found)
