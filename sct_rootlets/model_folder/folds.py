"""Which checkpoints of a model folder are used, and what else lies beside them.

nnU-Net itself takes the last part of any name that begins with ``fold_`` for a number: it stops
at ``fold_0_old``, and takes ``fold_backup_1`` for ``fold_1``. It loads one kind of checkpoint
from every fold that it is given, and stops where one has none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from sct_rootlets.checkpoint import CHECKPOINTS, converted_files
from sct_rootlets.errors import ModelError
from sct_rootlets.model_folder.model_json import AGAIN, EXPECTED, shown

__all__ = ["Folds", "read_folds"]

_ALL = "fold_all"
_FOLD = re.compile(r"fold_(all|0|[1-9][0-9]*)")
_FOLD_LIKE = re.compile(r"fold([ _-]|[0-9]|$)", re.IGNORECASE)
_EITHER = " or ".join(CHECKPOINTS)


@dataclass(frozen=True)
class Folds:
    """The checkpoints of a model folder.

    Attributes
    ----------
    used : tuple of Path
        Those whose networks are averaged, in nnU-Net's order. Each is named by its ``.pth``, also
        where only what the store made of it is there.
    aside : tuple of str
        A sentence on each that looks like a fold, or like its checkpoint, and is not used.
    """

    used: tuple[Path, ...]
    aside: tuple[str, ...]

    @property
    def text(self) -> str:
        """The folds and their kind of checkpoint, for a note."""
        return f"{' + '.join(path.parent.name for path in self.used)} ({self.used[0].stem})"


def read_folds(folder: Path) -> Folds:
    """Say which checkpoints are averaged: that of fold_all alone, else every fold's.

    fold_all was trained on all the data, so that the single folds add time and little else.

    Raises
    ------
    ModelError
        If there is none, or the folds have different kinds of checkpoint.
    """
    aside: list[str] = []
    kinds: dict[str, list[str]] = {}
    try:
        for path in _folders(folder):
            if _FOLD.fullmatch(path.name):
                kinds[path.name] = [name for name in CHECKPOINTS if _is_there(path / name)]
            else:
                name = shown(path.name)
                aside.append(f"{name} is left aside: folds are {_ALL}, or fold_ and a number")
    except OSError as error:
        raise ModelError(f"cannot be read ({error.strerror})", path=error.filename) from error
    empty = [name for name, found in kinds.items() if not found]
    full = {name: found for name, found in kinds.items() if found}
    if not full:
        raise _no_checkpoint(folder, empty, aside)
    aside += [f"{name} is left aside: it has no {_EITHER}" for name in empty]
    if _ALL in full:
        aside += [
            f"{name} is left aside: {_ALL}, trained on all the data, is used alone"
            for name in full
            if name != _ALL
        ]
        return Folds((folder / _ALL / full[_ALL][0],), tuple(aside))
    kind = next((each for each in CHECKPOINTS if all(each in full[name] for name in full)), None)
    if kind is None:
        there = "; ".join(f"{name}: {', '.join(found)}" for name, found in full.items())
        raise ModelError(
            f"its folds have different checkpoints ({there}), and only one kind is averaged",
            path=folder,
            remedy="Add the checkpoint that is missing, or move away the folder that lacks it",
        )
    aside += [
        f"{found[0]} of {name} is left aside: not every fold has one, as every fold has {kind}"
        for name, found in full.items()
        if found[0] != kind
    ]
    return Folds(tuple(folder / name / kind for name in full), tuple(aside))


def _folders(folder: Path) -> list[Path]:
    """Return what may be meant as a fold, in nnU-Net's order."""
    inside = sorted(folder.iterdir())
    return [path for path in inside if _FOLD_LIKE.match(path.name) and path.is_dir()]


def _no_checkpoint(folder: Path, empty: list[str], aside: list[str]) -> ModelError:
    if empty:
        return ModelError(f"has no {_EITHER} in {', '.join(empty)}", path=folder, remedy=AGAIN)
    others = f"; {'; '.join(aside)}" if aside else ""
    return ModelError(f"has no fold_* folder{others}", path=folder, remedy=EXPECTED)


def _is_there(path: Path) -> bool:
    return path.is_file() or all(part.is_file() for part in converted_files(path))
