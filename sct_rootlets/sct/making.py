"""One input made by SCT: which commands may run, what they made, and whether it can be used."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import RootletsError
from sct_rootlets.files.outputs import OutputSet
from sct_rootlets.files.sidecar import sidecar_path, split_nifti, to_json
from sct_rootlets.files.standing import not_ours
from sct_rootlets.image import Image, save
from sct_rootlets.inputs import Landmarks, read_cord
from sct_rootlets.levels.spine.column import VertebralColumn
from sct_rootlets.sct import recipes
from sct_rootlets.sct.commands import Runner, state_of_tasks
from sct_rootlets.sct.recipes import Recipe

__all__ = ["KINDS", "Maker", "check_usable"]

#: What can be made, in this order: discs and PMJ are found with the cord mask.
KINDS = {"cord": "cord mask", "discs": "disc labels", "pmj": "PMJ"}


@dataclass
class Maker:
    """Has SCT make inputs for one image.

    Attributes
    ----------
    image : Path
    reference : Image
        What was read of it, one volume.
    is_volume : bool
        Whether the file has more than that.
    folder : Path
        Where results go.
    scratch : Path
        Where SCT works; removed by the caller.
    runner : Runner
    say : callable
        Is given lines for the user.
    """

    image: Path
    reference: Image
    is_volume: bool
    folder: Path
    scratch: Path
    runner: Runner
    say: Callable[[str], None]

    def make(self, kind: str, cord: Path | None, *, may_download: bool) -> tuple[Path, str]:
        """Make one input by the first of SCT's ways that works.

        Parameters
        ----------
        kind : str
            A key of `KINDS`.
        cord : Path or None
            Cord mask, where there is one by now.
        may_download : bool
            Whether SCT may download a model for it.

        Returns
        -------
        Path, str
            The result in `folder`, and the command line with the names of files only.

        Raises
        ------
        RootletsError
            If none works, with the reason of each.
        """
        reasons: list[str] = []
        remedies: dict[str, None] = {}
        for recipe in self._recipes(kind, cord):
            try:
                self._require_task(recipe, may_download)
                stage = f"{KINDS[kind]} by {recipe.command}"
                self.runner.run(recipe.command, recipe.options, stage=stage, folder=self.scratch)
                return self._take(kind, recipe, cord), recipe.line
            except RootletsError as error:
                self.say(f"  {error.problem.partition(': ')[0]}")
                reasons.append(error.problem)
                remedies[error.remedy] = None
        if kind == "discs" and cord is None:
            reasons.append("sct_label_vertebrae needs a cord mask")
        raise RootletsError("; ".join(reasons), remedy=". ".join(filter(None, remedies)))

    def _recipes(self, kind: str, cord: Path | None) -> Iterator[Recipe]:
        mask = None if cord is None else Path(os.path.abspath(cord))
        if kind == "cord":
            yield recipes.cord(self._source, self.scratch)
        elif kind == "pmj":
            yield recipes.pmj(self._source, self.scratch, mask)
        else:
            yield recipes.discs_by_network(self._source, self.scratch)
            if mask is not None:
                yield recipes.discs_by_template(self._source, self.scratch, mask)

    @cached_property
    def _source(self) -> Path:
        """The image as SCT can take it: one volume without NaN, and compressed.

        Of an image that is not, ``sct_deepseg spine`` looks for its result under a name that
        TotalSpineSeg has not given it.
        """
        _, stem, extension = split_nifti(self.image)
        if not self.is_volume and not self.reference.remarks and extension == ".nii.gz":
            return Path(os.path.abspath(self.image))
        # In a folder of its own, where no result can have its name.
        copy = self.scratch / "image" / f"{stem}.nii.gz"
        copy.parent.mkdir(exist_ok=True)
        save(self.reference, copy)
        return copy

    @cached_property
    def _tasks(self) -> dict[str, str] | None:
        return state_of_tasks(self.runner.sct, ("spinalcord", "spine"))

    def _require_task(self, recipe: Recipe, may_download: bool) -> None:
        """Raise if SCT has no such task, or would download a model that it may not."""
        if recipe.task is None:
            return
        states = self._tasks
        if states is not None and recipe.task not in states:
            raise RootletsError(
                f"SCT {self.runner.sct.version} has no {recipe.name}",
                remedy="A newer SCT has it",
            )
        state = "unknown" if states is None else states[recipe.task]
        # SCT removes a model that is out of date before it downloads the new one: that is for
        # the user to decide, who may be where there is no network.
        if state == "old" or (state != "installed" and not may_download):
            words = {"old": "is out of date", "missing": "is not installed"}
            raise RootletsError(
                f"the model of {recipe.name} {words.get(state, 'may not be installed')}",
                remedy=f"SCT downloads it with '{recipe.name} -install'",
            )
        if state == "missing":
            self.say(f"  The model of {recipe.name} is not installed: SCT downloads it first, once")

    def _take(self, kind: str, recipe: Recipe, cord: Path | None) -> Path:
        """Check what was made, and put it into the folder of the results with its sidecar."""
        if not recipe.made.exists():
            raise RootletsError(f"{recipe.name} found none", remedy=f"See {self.runner.log}")
        try:
            check_usable(kind, recipe.made, self.reference, cord)
        except RootletsError as error:
            raise RootletsError(
                f"the {KINDS[kind]} that {recipe.name} made cannot be used: it {error.problem}"
            ) from error
        stem, extension = split_nifti(self.image)[1], split_nifti(recipe.made)[2]
        target = self.folder / f"{stem}{recipe.suffix}{extension}"
        for path, found in not_ours([target, sidecar_path(target)]).items():
            raise RootletsError(f"{found.value}, and is not replaced", path=path)
        with OutputSet() as outputs:
            shutil.copyfile(recipe.made, outputs.stage(target))
            # Never without one: what has none could pass for a mask that this package made.
            text = _sidecar_text(recipe, self.runner.sct.version)
            outputs.write(sidecar_path(target), text)
        self.say(f"  made {target}")
        return target


def check_usable(kind: str, path: Path, reference: Image, cord: Path | None = None) -> None:
    """Raise if a file cannot serve as an input of a kind for an image.

    Parameters
    ----------
    kind : str
        A key of `KINDS`.
    path : Path
    reference : Image
    cord : Path, optional
        Cord mask, with which the order of discs is checked.

    Raises
    ------
    RootletsError
        As :func:`sct_rootlets.inputs.read_cord`, :meth:`sct_rootlets.inputs.Landmarks.read` and
        :meth:`sct_rootlets.levels.spine.column.VertebralColumn.from_discs`.
    """
    if kind == "cord":
        read_cord(path, reference)
    elif kind == "pmj":
        Landmarks(pmj=path).read(reference)
    else:
        discs = Landmarks(discs=path).read(reference).discs
        if cord is not None and discs is not None:
            VertebralColumn.from_discs(discs, Centerline.fit(read_cord(cord, reference)))


def _sidecar_text(recipe: Recipe, version: str) -> str:
    """Return SCT's own sidecar of a result, or one that says the same."""
    own = sidecar_path(recipe.made)
    if own.is_file():
        return own.read_text(encoding="utf-8")
    maker = {"Name": f"spinalcordtoolbox: {recipe.line}", "Version": version}
    return to_json({"GeneratedBy": [maker]})
