"""Everything that one run made: rootlets, cord and levels."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sct_rootlets.files.names import SUFFIXES, image_outputs, stem_of
from sct_rootlets.files.results import ResultSet
from sct_rootlets.files.sidecar import sidecar_path
from sct_rootlets.image import LabelImage
from sct_rootlets.levels import Derived
from sct_rootlets.manifest import InstalledModel
from sct_rootlets.result.levels import LevelsResult
from sct_rootlets.result.predicted import Predicted
from sct_rootlets.result.stage import stage_intermediate

__all__ = ["Result"]


@dataclass(frozen=True, eq=False)
class Result:
    """Everything one run made.

    Attributes
    ----------
    of_levels : LevelsResult
    predicted : Predicted or None
        Rootlets with their levels, and the cord mask that was used, of which a model made the
        one or the other; None where both were given.
    """

    of_levels: LevelsResult
    predicted: Predicted | None = None

    @property
    def model(self) -> InstalledModel | None:
        """What predicted rootlets or cord, None where both were given."""
        return None if self.predicted is None else self.predicted.model

    @property
    def derived(self) -> Derived:
        """Table, painted levels, numbered rootlets, centerline and entry zones."""
        return self.of_levels.derived

    @property
    def rootlets(self) -> LabelImage:
        """Rootlets with spinal level values."""
        return self.derived.rootlets

    @property
    def cord(self) -> LabelImage:
        """The cord mask that was used."""
        return self.of_levels.cord

    @property
    def stem(self) -> str:
        """Name of the image without folder and extension."""
        image = self.of_levels.image
        return "image" if image is None else stem_of(image)

    def write(
        self,
        folder: str | os.PathLike[str],
        *,
        keep_intermediate: bool = False,
        csv: str | os.PathLike[str] | None = None,
        overwrite: bool = False,
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
        overwrite : bool
            Replace also files that are not as an earlier run wrote them.

        Returns
        -------
        dict of str to Path
            Files by what they are: ``rootlets`` and ``cord`` (where the model made them), and
            those of :meth:`LevelsResult.write`.

        Raises
        ------
        UsageError
            If a file would replace an input, or one that is not as an earlier run wrote it.
        """
        with ResultSet(overwrite=overwrite) as outputs:
            return self.stage(outputs, folder, keep_intermediate=keep_intermediate, csv=csv)

    def stage(
        self,
        outputs: ResultSet,
        folder: str | os.PathLike[str],
        *,
        keep_intermediate: bool = False,
        csv: str | os.PathLike[str] | None = None,
    ) -> dict[str, Path]:
        """Stage in `outputs` what :meth:`write` writes; parameters and errors as there."""
        folder, predicted = Path(folder), self.predicted
        planned = image_outputs(self.stem, folder, cord=True)
        files = {} if predicted is None else predicted.stage(outputs, planned)
        files |= self.of_levels.stage(outputs, planned["levels"], csv=csv)
        if keep_intermediate:
            if predicted is not None and predicted.rootlets_are_ours:
                files |= stage_intermediate(
                    outputs,
                    folder,
                    self.stem,
                    sidecar_path(files["rootlets"]),
                    rootlets=predicted.segmentation.rootlets,
                    csf=predicted.segmentation.csf,
                )
            files |= stage_intermediate(
                outputs, folder, self.stem, files["json"], centerline=self.derived.centerline
            )
        return files

    def stage_qc(self, outputs: ResultSet, folder: str | os.PathLike[str]) -> dict[str, Path]:
        """Stage the figure (``figure``) and the HTML report (``report``) for `folder`.

        Raises
        ------
        MissingDependencyError
            If matplotlib is not installed.
        """
        stem = f"{self.stem}{SUFFIXES['levels']}"
        return self.of_levels.stage_qc(outputs, folder, stem)
