"""The result of one run: what was found, and how it is written down."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sct_rootlets import __version__, writing
from sct_rootlets.engines import Segmentation
from sct_rootlets.image import Image, LabelImage
from sct_rootlets.levels import Derived
from sct_rootlets.manifest import InstalledModel
from sct_rootlets.outputs import OutputSet
from sct_rootlets.sidecar import split_nifti

__all__ = ["Result", "stem_of"]


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

    def write(
        self, folder: str | os.PathLike[str], *, keep_intermediate: bool = False
    ) -> dict[str, Path]:
        """Write all images, tables and sidecars into `folder`, whole or not at all.

        Parameters
        ----------
        folder : path-like
            Made if it is missing.
        keep_intermediate : bool
            Also write the rootlets before numbering, the CSF and the centerline.

        Returns
        -------
        dict of str to Path
            Files by what they are: ``rootlets``, ``cord`` (where the model made it),
            ``levels``, ``table`` and ``json``.

        Raises
        ------
        UsageError
            If a file would replace an input, or a cord mask of somebody else.
        """
        with OutputSet() as outputs:
            return self.stage(outputs, folder, keep_intermediate=keep_intermediate)

    def stage(
        self,
        outputs: OutputSet,
        folder: str | os.PathLike[str],
        *,
        keep_intermediate: bool = False,
    ) -> dict[str, Path]:
        """Stage in `outputs` what :meth:`write` writes; parameters and errors as there."""
        folder = Path(folder)
        files = writing.image_outputs(self.stem, folder, cord=self.cord_is_ours)
        writing.require_free(files, self.sources)
        common: dict[str, Any] = {
            "sources": self.sources,
            "model": self.model,
            "parameters": self.parameters,
        }
        writing.stage_segmentation(
            outputs,
            files,
            self.rootlets,
            self.cord,
            numbered=True,
            notes=self.segmentation.notes,
            **common,
        )
        files |= writing.stage_levels(outputs, files["levels"], self.derived, **common)
        if keep_intermediate:
            files |= writing.stage_intermediate(
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
        from sct_rootlets.qc import figure, report

        table, title = self.derived.table, Path(self.image.path).name
        subtitle = (
            f"{self.model.name} {self.model.version} (sha256 {self.model.sha256[:12]})  ·  "
            f"definition: {table.definition}  ·  reach {table.reach_mm:g} mm  ·  "
            f"sct_rootlets {__version__}"
        )
        drawn = figure.png(
            figure.draw(
                image=self.image,
                cord=self.cord,
                derived=self.derived,
                title=title,
                subtitle=subtitle,
                discs=self.discs,
            )
        )
        page = report.page(
            title=title,
            png=drawn,
            table=table,
            warnings=self.warnings,
            facts={
                "Image": f"{title}: {self.image.grid.describe()}",
                "Model": f"{self.model.name} {self.model.version}",
                "Model sha256": self.model.sha256,
                "sct_rootlets": __version__,
                **{key: value for key, value in self.parameters.items() if value is not None},
                "Notes": "; ".join(self.segmentation.notes),
                "Seconds": ", ".join(f"{k} {v:.1f}" for k, v in self.timings_s.items()),
            },
        )
        files = {
            "figure": Path(folder) / f"{self.stem}_levels.png",
            "report": Path(folder) / f"{self.stem}_levels.html",
        }
        writing.require_free(files, self.sources)
        outputs.stage(files["figure"]).write_bytes(drawn)
        outputs.stage(files["report"]).write_text(page, encoding="utf-8")
        return files


def stem_of(image: Image) -> str:
    """Return the name of the image's file without its extension, ``image`` without a file."""
    return split_nifti(image.path)[1] if os.path.exists(image.path) else "image"
