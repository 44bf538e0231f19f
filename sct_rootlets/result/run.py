"""Everything that one run made: rootlets, cord and levels."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from sct_rootlets.engines import Segmentation
from sct_rootlets.files.guards import require_free
from sct_rootlets.files.names import SUFFIXES, image_outputs, stem_of
from sct_rootlets.files.outputs import OutputSet
from sct_rootlets.image import Image, LabelImage
from sct_rootlets.levels import Derived
from sct_rootlets.manifest import InstalledModel
from sct_rootlets.result.levels import LevelsResult
from sct_rootlets.result.made_by import seconds_and_notes
from sct_rootlets.result.predicted import Predicted
from sct_rootlets.result.stage import stage_intermediate

__all__ = ["Result"]


@dataclass(frozen=True, eq=False)
class Result:
    """Everything one run made, and what quality control needs of it.

    Attributes
    ----------
    image, cord : Image, LabelImage
    cord_is_ours : bool
        Whether the cord mask came from the model.
    derived : Derived
        Table, painted levels, numbered rootlets, centerline and entry zones.
    segmentation : Segmentation
        What the model predicted, before numbering.
    model : InstalledModel
    discs : LabelImage or None
    sources : tuple of str
        Input files.
    parameters : dict
        What the run was asked for, for sidecars and reports.
    timings_s : dict of str to float
        Seconds of each stage.
    """

    image: Image
    cord: LabelImage
    cord_is_ours: bool
    derived: Derived
    segmentation: Segmentation
    model: InstalledModel
    discs: LabelImage | None = None
    sources: tuple[str, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    timings_s: dict[str, float] = field(default_factory=dict)

    @property
    def rootlets(self) -> LabelImage:
        """Rootlets with spinal level values."""
        return self.derived.rootlets

    @property
    def levels(self) -> LabelImage:
        """Spinal levels painted on the cord mask."""
        return self.derived.levels

    @property
    def stem(self) -> str:
        """Name of the image without folder and extension."""
        return stem_of(self.image)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings about the levels."""
        return tuple(self.derived.table.warnings)

    @cached_property
    def of_levels(self) -> LevelsResult:
        """The levels alone, with what their files need."""
        return LevelsResult(
            derived=self.derived,
            cord=self.cord,
            image=self.image,
            discs=self.discs,
            model=self.model,
            sources=self.sources,
            parameters=self.parameters,
            facts=seconds_and_notes(self.segmentation, self.timings_s),
        )

    def write(
        self,
        folder: str | os.PathLike[str],
        *,
        keep_intermediate: bool = False,
        csv: str | os.PathLike[str] | None = None,
    ) -> dict[str, Path]:
        """Write all images, tables and sidecars into `folder`, whole or not at all.

        Parameters
        ----------
        folder : path-like
            Made if it is missing.
        keep_intermediate : bool
            Also write the rootlets before numbering, the CSF and the centerline.
        csv : path-like, optional
            Where to put the table in the layout of the published script.

        Returns
        -------
        dict of str to Path
            Files by what they are: ``rootlets``, ``cord`` (where the model made it), and
            those of :meth:`LevelsResult.write`.

        Raises
        ------
        UsageError
            If a file would replace an input, or a cord mask or sidecar of somebody else.
        """
        with OutputSet() as outputs:
            return self.stage(outputs, folder, keep_intermediate=keep_intermediate, csv=csv)

    def stage(
        self,
        outputs: OutputSet,
        folder: str | os.PathLike[str],
        *,
        keep_intermediate: bool = False,
        csv: str | os.PathLike[str] | None = None,
    ) -> dict[str, Path]:
        """Stage in `outputs` what :meth:`write` writes; parameters and errors as there."""
        folder = Path(folder)
        files = image_outputs(self.stem, folder, cord=self.cord_is_ours)
        require_free(files, self.sources)
        Predicted(
            self.image,
            self.cord,
            self.cord_is_ours,
            self.rootlets,
            True,
            self.segmentation,
            self.model,
            self.sources,
            self.timings_s,
            self.image.remarks,
            self.parameters,
        ).stage(outputs, files)
        files |= self.of_levels.stage(outputs, files["levels"], csv=csv)
        if keep_intermediate:
            files |= stage_intermediate(
                outputs,
                folder,
                self.stem,
                rootlets=self.segmentation.rootlets,
                csf=self.segmentation.csf,
                centerline=self.derived.centerline,
            )
        return files

    def stage_qc(self, outputs: OutputSet, folder: str | os.PathLike[str]) -> dict[str, Path]:
        """Stage the figure (``figure``) and the HTML report (``report``) for `folder`.

        Raises
        ------
        MissingDependencyError
            If matplotlib is not installed.
        """
        stem = f"{self.stem}{SUFFIXES['levels']}"
        return self.of_levels.stage_qc(outputs, folder, stem)
