"""The levels that were found, and how they are written down."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sct_rootlets import __version__
from sct_rootlets.anatomy import PLACES
from sct_rootlets.colours import look_up
from sct_rootlets.files.guards import require_no_input
from sct_rootlets.files.names import level_files, qc_files
from sct_rootlets.files.results import ResultSet
from sct_rootlets.files.sidecar import hashes, sidecar
from sct_rootlets.image import Image, LabelImage, save
from sct_rootlets.levels import Derived
from sct_rootlets.levels.paint import paint_points
from sct_rootlets.levels.table import text
from sct_rootlets.manifest import InstalledModel
from sct_rootlets.result.made_by import facts_of, made_by
from sct_rootlets.result.stage import level_names, stage_labels

if TYPE_CHECKING:
    from sct_rootlets.qc.mosaic import Mosaic

__all__ = ["LevelsResult"]


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
        footer = (
            f"definition: {self.derived.table.definition}  \N{MIDDLE DOT}  {made_by(self.model)}"
        )
        return mosaic.draw(course, footer=footer, left_on_left=left_on_left)

    def write(
        self,
        target: str | os.PathLike[str],
        *,
        csv: str | os.PathLike[str] | None = None,
        overwrite: bool = False,
    ) -> dict[str, Path]:
        """Write label images, table, look-up, JSON and figure, whole or not at all.

        Parameters
        ----------
        target : path-like
            Label image of the levels; the others are named after it.
        csv : path-like, optional
            Where to put the table in the layout of the published script.
        overwrite : bool
            Replace also files that are not as an earlier run wrote them.

        Returns
        -------
        dict of str to Path
            Files by what they are: see :func:`sct_rootlets.files.names.level_files`. There is no
            ``figure`` where matplotlib is not installed.

        Raises
        ------
        UsageError
            If a file would replace an input, or one that is not as an earlier run wrote it.
        """
        with ResultSet(overwrite=overwrite) as outputs:
            return self.stage(outputs, target, csv=csv)

    def stage(
        self,
        outputs: ResultSet,
        target: str | os.PathLike[str],
        *,
        csv: str | os.PathLike[str] | None = None,
    ) -> dict[str, Path]:
        """Stage in `outputs` what :meth:`write` writes; parameters and errors as there."""
        from sct_rootlets.qc import figure

        files = level_files(Path(target))
        if csv is not None:
            files["csv"] = Path(csv)
        require_no_input(files.values(), self.sources)
        derived, table = self.derived, self.derived.table
        stage_labels(outputs, files["levels"], derived.levels, self._sidecar(files["json"].parent))
        outputs.list_in(files["json"], files.values())
        outputs.write(files["table"], text.to_tsv(table))
        outputs.write(files["lookup"], look_up(row.level for row in table.rows))
        for place in PLACES:
            points = paint_points(derived.levels, derived.centerline, table, place)
            save(points.labels, outputs.stage(files[place]))
        if figure.has_matplotlib():
            outputs.write(files["figure"], self.figure)
        else:
            del files["figure"]
        if csv is not None:
            outputs.write(files["csv"], text.to_csv(table))
        return files

    def _sidecar(self, folder: Path) -> dict[str, Any]:
        identity = self.derived.identity
        rejected = [
            {
                "level": str(stray.level),
                "n_voxels": stray.n_voxels,
                "s_mm": round(float(stray.s_mm), 2),
                "reason": stray.reason,
            }
            for stray in self.derived.strays
        ]
        return sidecar(
            beside=folder,
            sources=self.sources,
            description="Spinal levels, painted on the cord mask by the value of the level; the "
            "table beside it has their borders.",
            model=self.model,
            parameters=self.parameters,
            extra={
                "SourceSHA256": hashes(self.sources, folder),
                "Labels": level_names(self.derived.levels),
                **text.to_json(self.derived.table),
                "rejected": rejected,
                **({} if identity is None else {"identity": identity.report()}),
            },
        )

    def stage_qc(
        self, outputs: ResultSet, folder: str | os.PathLike[str], stem: str
    ) -> dict[str, Path]:
        """Stage the figure (``figure``) and the HTML report (``report``) for `folder`.

        Raises
        ------
        MissingDependencyError
            If matplotlib is not installed.
        """
        from sct_rootlets.qc import result_page

        files = qc_files(Path(folder), stem)
        require_no_input(files.values(), self.sources)
        grid = (self.image or self.cord).grid
        page = result_page.page(
            title=self.title,
            png=self.figure,
            table=self.derived.table,
            warnings=self.derived.table.warnings,
            mosaic=self.mosaic(),
            facts={
                "Image" if self.image is not None else "Input": f"{self.title}: {grid.describe()}",
                **facts_of(self.model, self.parameters),
                **self.facts,
            },
            names=[files["qc_report"].name, files["qc_figure"].name],
        )
        outputs.write(files["qc_figure"], self.figure)
        outputs.write(files["qc_report"], page)
        outputs.list_in(files["qc_report"], [files["qc_figure"]])
        return {"figure": files["qc_figure"], "report": files["qc_report"]}
