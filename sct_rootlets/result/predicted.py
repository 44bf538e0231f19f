"""The rootlets that a model predicted, and how they are written down."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sct_rootlets.engines import Segmentation
from sct_rootlets.files.guards import require_no_input
from sct_rootlets.files.names import qc_files, stem_of
from sct_rootlets.files.results import ResultSet
from sct_rootlets.files.sidecar import sidecar, sidecar_path
from sct_rootlets.image import Image, LabelImage
from sct_rootlets.manifest import InstalledModel
from sct_rootlets.result.made_by import facts_of, made_by, seconds_and_notes
from sct_rootlets.result.stage import level_names, stage_cord, stage_intermediate, stage_labels

if TYPE_CHECKING:
    from sct_rootlets.qc.mosaic import Mosaic

__all__ = ["Predicted"]


@dataclass(frozen=True, eq=False)
class Predicted:
    """Rootlets of one image and the model that predicted them.

    Attributes
    ----------
    image : Image
    cord : LabelImage or None
        Cord mask given, else the model's, else None.
    cord_is_ours : bool
        Whether `cord` is the model's.
    rootlets : LabelImage
        With spinal level values where `numbered`, else 1 throughout.
    numbered : bool
    segmentation : Segmentation
        What the model predicted.
    model : InstalledModel
    sources : tuple of str
        Input files.
    timings_s : dict of str to float
        Seconds of each stage.
    remarks : tuple of str
        What had to be done to the inputs to read them.
    parameters : dict
        What was asked for, for the sidecars.
    files : dict of str to Path
        What was written, by what it is; empty before.
    rootlets_are_ours : bool
        Whether `rootlets` are the model's; else they were given, and the cord alone is.
    """

    image: Image
    cord: LabelImage | None
    cord_is_ours: bool
    rootlets: LabelImage
    numbered: bool
    segmentation: Segmentation
    model: InstalledModel
    sources: tuple[str, ...]
    timings_s: dict[str, float]
    remarks: tuple[str, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    rootlets_are_ours: bool = True

    def mosaic(self, *, left_on_left: bool = False) -> Mosaic:
        """Draw the median sheet and planes across the cord, with an overlay to hide.

        They are centred on the cord mask, and without one on the rootlets. Parameters and errors
        as :func:`sct_rootlets.qc.mosaic.draw` has them.
        """
        from sct_rootlets.qc import mosaic
        from sct_rootlets.qc.course import Course

        course = Course.of_rootlets(self.image, self.rootlets, self.cord, named=self.numbered)
        return mosaic.draw(course, footer=made_by(self.model), left_on_left=left_on_left)

    def stage_qc(
        self, outputs: ResultSet, folder: str | os.PathLike[str], stem: str
    ) -> dict[str, Path]:
        """Stage the HTML report (``report``) for `folder`.

        Raises
        ------
        MissingDependencyError
            If matplotlib is not installed.
        """
        from sct_rootlets.qc import result_page

        title = Path(self.image.path).name
        target = qc_files(Path(folder), stem)["qc_report"]
        require_no_input([target], self.sources)
        page = result_page.page(
            title=title,
            warnings=self.remarks,
            mosaic=self.mosaic(),
            facts={
                "Image": f"{title}: {self.image.grid.describe()}",
                **facts_of(self.model, self.parameters),
                **seconds_and_notes(self.segmentation, self.timings_s),
            },
            names=[target.name],
        )
        outputs.write(target, page)
        outputs.list_in(target, ())
        return {"report": target}

    def write(
        self,
        planned: Mapping[str, Path],
        *,
        keep_intermediate: bool = False,
        overwrite: bool = False,
    ) -> dict[str, Path]:
        """Write the rootlets and the model's cord mask with their sidecars, whole or not at all.

        Parameters
        ----------
        planned : mapping of str to Path
            Files ``rootlets`` and ``cord``, of which the second is written where the mask is
            the model's.
        keep_intermediate : bool
            Also write the rootlets before numbering and the CSF, into the folder of the
            rootlets.
        overwrite : bool
            Replace also files that are not as an earlier run wrote them.

        Returns
        -------
        dict of str to Path
            What was written, by what it is.

        Raises
        ------
        UsageError
            If a file would replace an input, or one that is not as an earlier run wrote it.
        """
        with ResultSet(overwrite=overwrite) as outputs:
            files = self.stage(outputs, planned)
            if keep_intermediate:
                files |= stage_intermediate(
                    outputs,
                    files["rootlets"].parent,
                    stem_of(self.image),
                    sidecar_path(files["rootlets"]),
                    rootlets=self.segmentation.rootlets if self.numbered else None,
                    csf=self.segmentation.csf,
                )
        return files

    def stage(
        self,
        outputs: ResultSet,
        planned: Mapping[str, Path],
        maker: Mapping[str, Any] | None = None,
    ) -> dict[str, Path]:
        """Stage in `outputs` rootlets and cord mask with their sidecars, as :meth:`write` does.

        Each only if the model made it, and the cord mask only if `planned` names it; `maker` is as
        :func:`sct_rootlets.files.sidecar.sidecar` takes it.
        """
        common: dict[str, Any] = {
            "sources": self.sources,
            "model": self.model,
            "parameters": self.parameters,
            "maker": maker,
        }
        files = {}
        if self.rootlets_are_ours:
            files["rootlets"] = planned["rootlets"]
        if self.cord is not None and self.cord_is_ours and "cord" in planned:
            files["cord"] = planned["cord"]
        require_no_input(files.values(), self.sources)
        if "rootlets" in files:
            level = "by the value of their spinal level" if self.numbered else "without their level"
            content = sidecar(
                beside=files["rootlets"].parent,
                description=f"Rootlets of the spinal cord, {level}.",
                extra={
                    "Labels": level_names(self.rootlets) if self.numbered else {"1": "rootlet"},
                    "Notes": [*self.remarks, *self.segmentation.notes],
                },
                **common,
            )
            stage_labels(outputs, files["rootlets"], self.rootlets, content)
        if self.cord is not None and "cord" in files:
            stage_cord(outputs, files["cord"], self.cord, **common)
        return files
