"""What was found in an image, and how it is written down."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sct_rootlets import __version__, writing
from sct_rootlets.engines import Segmentation
from sct_rootlets.image import Image, LabelImage
from sct_rootlets.levels import Derived
from sct_rootlets.manifest import InstalledModel
from sct_rootlets.outputs import OutputSet
from sct_rootlets.qc.colours import LEVEL_COLOURS
from sct_rootlets.sidecar import split_nifti

if TYPE_CHECKING:
    from sct_rootlets.qc.mosaic import Mosaic

__all__ = ["LevelsResult", "Predicted", "Result", "stem_of"]


@dataclass(frozen=True, eq=False)
class LevelsResult:
    """Levels, and what their files need besides.

    Attributes
    ----------
    derived : Derived
        Table, painted levels, numbered rootlets, centerline and entry zones.
    cord : LabelImage
    image : Image or None
        Grey-value image, for the figure.
    discs : LabelImage or None
    model : InstalledModel or None
        That predicted the rootlets.
    sources : tuple of str
        Input files.
    parameters : dict
        What was asked for, for sidecars and reports.
    facts : dict
        What else the report says.
    """

    derived: Derived
    cord: LabelImage
    image: Image | None = None
    discs: LabelImage | None = None
    model: InstalledModel | None = None
    sources: tuple[str, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """File name of the image, else of the rootlets, else of the cord mask."""
        rootlets = self.derived.rootlets
        return Path((self.image or rootlets or self.cord).path).name

    @cached_property
    def figure(self) -> bytes:
        """The figure, as the bytes of a PNG file.

        Raises
        ------
        MissingDependencyError
            If matplotlib is not installed.
        """
        from sct_rootlets.qc import figure

        table = self.derived.table
        parts = [
            f"definition: {table.definition}",
            "" if table.reach_mm is None else f"reach {table.reach_mm:g} mm",
            f"sct_rootlets {__version__}",
        ]
        if self.model is not None:
            model = self.model
            parts.insert(0, f"{model.name} {model.version} (sha256 {model.sha256[:12]})")
        return figure.png(
            figure.draw(
                image=self.image,
                cord=self.cord,
                derived=self.derived,
                title=self.title,
                subtitle="  ·  ".join(part for part in parts if part),
                discs=self.discs,
            )
        )

    def mosaic(self, *, left_on_left: bool = False) -> Mosaic:
        """Draw the median sheet and planes across the whole cord, with an overlay to hide.

        Parameters and errors as :func:`sct_rootlets.qc.mosaic.draw` has them.
        """
        from sct_rootlets.qc import mosaic
        from sct_rootlets.qc.course import Course

        course = Course.of_levels(self.image, self.cord, self.derived, self.discs)
        footer = f"definition: {self.derived.table.definition}  \N{MIDDLE DOT}  {_by(self.model)}"
        return mosaic.draw(course, footer=footer, left_on_left=left_on_left)

    def write(
        self, target: str | os.PathLike[str], *, csv: str | os.PathLike[str] | None = None
    ) -> dict[str, Path]:
        """Write label images, table, look-up, JSON and figure, whole or not at all.

        Parameters
        ----------
        target : path-like
            Label image of the levels; the others are named after it.
        csv : path-like, optional
            Where to put the table in the layout of the published script.

        Returns
        -------
        dict of str to Path
            Files by what they are: see :func:`sct_rootlets.writing.level_files`. There is no
            ``figure`` where matplotlib is not installed.

        Raises
        ------
        UsageError
            If a file would replace an input, or a sidecar of somebody else.
        """
        with OutputSet() as outputs:
            return self.stage(outputs, target, csv=csv)

    def stage(
        self,
        outputs: OutputSet,
        target: str | os.PathLike[str],
        *,
        csv: str | os.PathLike[str] | None = None,
    ) -> dict[str, Path]:
        """Stage in `outputs` what :meth:`write` writes; parameters and errors as there."""
        from sct_rootlets.qc import figure

        files = writing.level_files(Path(target))
        if csv is not None:
            files["csv"] = Path(csv)
        writing.require_free(files, self.sources)
        return writing.stage_levels(
            outputs,
            Path(target),
            self.derived,
            sources=self.sources,
            colours={level.value: colour for level, colour in LEVEL_COLOURS.items()},
            model=self.model,
            parameters=self.parameters,
            figure=self.figure if figure.has_matplotlib() else None,
            csv=None if csv is None else Path(csv),
        )

    def stage_qc(
        self, outputs: OutputSet, folder: str | os.PathLike[str], stem: str
    ) -> dict[str, Path]:
        """Stage the figure (``figure``) and the HTML report (``report``) for `folder`.

        Raises
        ------
        MissingDependencyError
            If matplotlib is not installed.
        """
        from sct_rootlets.qc import report

        grid = (self.image or self.cord).grid
        page = report.page(
            title=self.title,
            png=self.figure,
            table=self.derived.table,
            warnings=self.derived.table.warnings,
            mosaic=self.mosaic(),
            facts={
                "Image" if self.image is not None else "Input": f"{self.title}: {grid.describe()}",
                **_facts(self.model, self.parameters),
                **self.facts,
            },
        )
        files = {
            "figure": Path(folder) / f"{stem}.png",
            "report": Path(folder) / f"{stem}.html",
        }
        writing.require_free(files, self.sources)
        outputs.stage(files["figure"]).write_bytes(self.figure)
        outputs.stage(files["report"]).write_text(page, encoding="utf-8")
        return files


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
            facts={
                "Notes": "; ".join(self.segmentation.notes),
                "Seconds": ", ".join(f"{k} {v:.1f}" for k, v in self.timings_s.items()),
            },
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
        files = writing.image_outputs(self.stem, folder, cord=self.cord_is_ours)
        writing.require_free(files, self.sources)
        writing.stage_segmentation(
            outputs,
            files,
            self.rootlets,
            self.cord,
            sources=self.sources,
            model=self.model,
            numbered=True,
            notes=(*self.image.remarks, *self.segmentation.notes),
            parameters=self.parameters,
        )
        files |= self.of_levels.stage(outputs, files["levels"], csv=csv)
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
        stem = f"{self.stem}{writing.SUFFIXES['levels']}"
        return self.of_levels.stage_qc(outputs, folder, stem)


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

    def mosaic(self, *, left_on_left: bool = False) -> Mosaic:
        """Draw the median sheet and planes across the cord, with an overlay to hide.

        They are centred on the cord mask, and without one on the rootlets. Parameters and errors
        as :func:`sct_rootlets.qc.mosaic.draw` has them.
        """
        from sct_rootlets.qc import mosaic
        from sct_rootlets.qc.course import Course

        course = Course.of_rootlets(self.image, self.rootlets, self.cord, named=self.numbered)
        return mosaic.draw(course, footer=_by(self.model), left_on_left=left_on_left)

    def stage_qc(
        self, outputs: OutputSet, folder: str | os.PathLike[str], stem: str
    ) -> dict[str, Path]:
        """Stage the HTML report (``report``) for `folder`.

        Raises
        ------
        MissingDependencyError
            If matplotlib is not installed.
        """
        from sct_rootlets.qc import report

        title = Path(self.image.path).name
        page = report.page(
            title=title,
            warnings=self.remarks,
            mosaic=self.mosaic(),
            facts={
                "Image": f"{title}: {self.image.grid.describe()}",
                **_facts(self.model, self.parameters),
                "Notes": "; ".join(self.segmentation.notes),
                "Seconds": ", ".join(f"{k} {v:.1f}" for k, v in self.timings_s.items()),
            },
        )
        files = {"report": Path(folder) / f"{stem}.html"}
        writing.require_free(files, self.sources)
        outputs.stage(files["report"]).write_text(page, encoding="utf-8")
        return files

    def write(
        self, planned: Mapping[str, Path], *, keep_intermediate: bool = False
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

        Returns
        -------
        dict of str to Path
            What was written, by what it is.
        """
        files = {"rootlets": planned["rootlets"]}
        if self.cord_is_ours:
            files["cord"] = planned["cord"]
        with OutputSet() as outputs:
            writing.stage_segmentation(
                outputs,
                files,
                self.rootlets,
                self.cord,
                sources=self.sources,
                model=self.model,
                numbered=self.numbered,
                notes=(*self.remarks, *self.segmentation.notes),
                parameters=self.parameters,
            )
            if keep_intermediate:
                files |= writing.stage_intermediate(
                    outputs,
                    files["rootlets"].parent,
                    stem_of(self.image),
                    rootlets=self.segmentation.rootlets if self.numbered else None,
                    csf=self.segmentation.csf,
                )
        return files


def _facts(model: InstalledModel | None, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a page says about how it was made."""
    return {
        "Model": "" if model is None else f"{model.name} {model.version}",
        "Model sha256": "" if model is None else model.sha256,
        "sct_rootlets": __version__,
        **{key: value for key, value in parameters.items() if value is not None},
    }


def _by(model: InstalledModel | None) -> str:
    """Return what made a picture, for its foot."""
    ours = f"sct_rootlets {__version__}"
    return ours if model is None else f"{model.name} {model.version}  \N{MIDDLE DOT}  {ours}"


def stem_of(image: Image) -> str:
    """Return the name of the image's file without its extension, ``image`` without a file."""
    return split_nifti(image.path)[1] if os.path.exists(image.path) else "image"
