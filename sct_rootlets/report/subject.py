"""One result, read from its files and drawn: what a row of the page shows.

Whatever is missing or broken becomes a sentence in the row, and never an error: what is left is
shown as far as it goes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from sct_rootlets.anatomy import DISC_C2C3
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError, RootletsError
from sct_rootlets.files.hashing import file_sha256
from sct_rootlets.files.json_files import object_if_readable
from sct_rootlets.files.made_by import maker_in, parameters_in, unreadable_in
from sct_rootlets.image import Image, LabelImage, load_cord, load_image, load_labels, on_grid_of
from sct_rootlets.levels import Derived
from sct_rootlets.levels.edited import table_with_image
from sct_rootlets.levels.table.level_table import LevelRow, LevelTable
from sct_rootlets.levels.zones.entry_zones import REACH_MM, measure
from sct_rootlets.qc.pictures import Pictures, draw
from sct_rootlets.report.finding import Found
from sct_rootlets.report.plausibility import Comparison, compare
from sct_rootlets.report.sources import Locator, Sources, sources_of
from sct_rootlets.report.verdict import FAILED, Verdict, judge

__all__ = ["LevelLine", "Subject", "failed", "read"]

logger = logging.getLogger(__name__)

Loaded = TypeVar("Loaded", bound=Image)


@dataclass(frozen=True)
class LevelLine:
    """One level of one result; positions in mm, as the table counts them.

    Attributes
    ----------
    row : LevelRow
    length, midpoint : Comparison or None
        Against the population; None where they cannot be compared.
    """

    row: LevelRow
    length: Comparison | None = None
    midpoint: Comparison | None = None


@dataclass(frozen=True)
class Subject:
    """What the page shows of one result.

    Attributes
    ----------
    key : str
        The result, as seen from the folder that all results lie in: its name in the marks.
    name : str
        File name of the image, else of the result.
    verdict : Verdict
    lines : tuple of LevelLine
        Empty where the table cannot be read.
    landmarks_mm : dict of str to float
        Where ``"PMJ"`` and ``"C2/C3"`` lie on the axis of the table, as far as known.
    origin : str
        From where the table counts.
    worst : float
        Largest distance from the population, standard deviations.
    warnings : tuple of str
    facts : dict of str to str
        Definition, model, version, grid, and how it was made.
    digest : str
        Of the table: marks of an earlier result are told by it.
    pictures : Pictures or None
    """

    key: str
    name: str
    verdict: Verdict
    lines: tuple[LevelLine, ...] = ()
    landmarks_mm: Mapping[str, float] = field(default_factory=dict)
    origin: str = ""
    worst: float = 0.0
    warnings: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""
    pictures: Pictures | None = None

    @property
    def measured(self) -> int:
        """How many levels were measured."""
        return sum(line.row.status == "measured" for line in self.lines)

    @property
    def folder(self) -> str:
        """Folder of the result, as seen from the one that all lie in."""
        return self.key.rpartition("/")[0]


def failed(found: Found, key: str, problem: str) -> Subject:
    """Return what is shown of a result of which nothing can be; its name is that of its image."""
    return Subject(key, f"{found.name}.nii.gz", Verdict(FAILED, (problem,)))


def read(found: Found, key: str, locator: Locator) -> Subject:
    """Read and draw one result; `key` is its name in the marks."""
    try:
        return _read(found, key, locator)
    except RootletsError as error:
        return failed(found, key, _words(error))
    except Exception as error:  # whatever one result holds, the others have to be shown
        logger.debug("%s", found.table, exc_info=True)
        return failed(found, key, f"unexpected {type(error).__name__}: {error}")


def _read(found: Found, key: str, locator: Locator) -> Subject:
    problems: list[str] = []
    sidecar = _sidecar(found.sidecar, problems)
    if not found.table.is_file():
        return failed(found, key, f"the table {found.table.name} is missing")
    table, edited = table_with_image(found.table)
    table = replace(table, warnings=(*edited, *table.warnings))
    plausibility = compare(table)
    sources = sources_of(sidecar, table.fname, found.name, found.table.parent, locator)
    problems += [f"{name} is missing" for name in sources.missing]
    volume = parameters_in(sidecar).get("volume")
    images = _Images(sources, found, problems, volume if isinstance(volume, int) else None)
    name = images.title or found.name
    facts = {**_facts(sidecar, table), **images.facts}
    pictures = None
    if images.cord is not None:
        pictures = _drawn(images, table, facts, name, problems)
    return Subject(
        key,
        name,
        judge(table, plausibility, problems, sources.changed),
        tuple(
            LevelLine(
                row, plausibility.lengths.get(row.level), plausibility.midpoints.get(row.level)
            )
            for row in table.rows
        ),
        _landmarks(table),
        table.origin,
        plausibility.worst,
        table.warnings,
        facts,
        file_sha256(found.table)[:12],
        pictures,
    )


class _Images:
    """The images of one result, as far as they can be read; what cannot is a problem."""

    def __init__(
        self, sources: Sources, found: Found, problems: list[str], volume: int | None
    ) -> None:
        self._problems = problems
        self.title = next(
            (Path(path).name for path in (sources.image, sources.named.get("image")) if path), None
        )
        self.image = self._load(sources.image, lambda p: load_image(p, "image", volume=volume))
        rootlets = self._load(sources.rootlets, lambda p: load_labels(p, "rootlets"))
        levels = self._load(found.levels, lambda p: load_labels(p, "levels"))
        cord = self._load(sources.cord, load_cord)
        if cord is None and levels is not None:
            # What the levels were painted on shows the course of the cord between its ends.
            mask = (np.asarray(levels.data) > 0).astype(np.int32)
            cord = LabelImage(mask, levels.grid, levels.header, levels.path)
        if cord is not None and rootlets is not None:
            try:
                cord = on_grid_of(cord, rootlets)
            except InputError as error:
                problems.append(_words(error))
                rootlets = None
        self.cord, self.rootlets, self.levels = cord, rootlets, levels
        self.discs = self._load(sources.discs, lambda p: load_labels(p, "disc labels"))

    @property
    def facts(self) -> dict[str, str]:
        """What the large view says about them."""
        if self.image is None:
            return {"Image": "none was found"}
        return {"Image": self.image.grid.describe()}

    def _load(self, path: Path | None, load: Callable[[Path], Loaded]) -> Loaded | None:
        if path is None:
            return None
        try:
            return load(path)
        except RootletsError as error:
            self._problems.append(_words(error))
            return None

    def derived(self, table: LevelTable, cord: LabelImage) -> Derived:
        """Put together again what the levels were derived with."""
        curve = Centerline.fit(cord)
        empty = LabelImage(
            np.zeros(cord.grid.shape, dtype=np.int32), cord.grid, cord.header, cord.path
        )
        zones = None
        if self.rootlets is not None and np.any(self.rootlets.data):
            zones = measure(self.rootlets, cord, curve, table.reach_mm or REACH_MM)
        return Derived(
            table,
            empty if self.levels is None else self.levels,
            empty if self.rootlets is None else self.rootlets,
            curve,
            zones,
        )


def _drawn(
    images: _Images, table: LevelTable, facts: Mapping[str, str], name: str, problems: list[str]
) -> Pictures | None:
    assert images.cord is not None
    try:
        return draw(
            image=images.image,
            cord=images.cord,
            derived=images.derived(table, images.cord),
            title=name,
            subtitle="  ·  ".join(facts[key] for key in ("Model", "Definition") if key in facts),
            discs=images.discs,
        )
    except RootletsError as error:
        problems.append(f"cannot be drawn: {_words(error)}")
    except Exception as error:  # its table is shown all the same
        logger.debug("%s", name, exc_info=True)
        problems.append(f"cannot be drawn: {type(error).__name__}: {error}")
    return None


def _sidecar(path: Path, problems: list[str]) -> Mapping[str, Any]:
    if not path.is_file():
        problems.append(f"{path.name} is missing")
    content = object_if_readable(path)  # of a damaged one the table, which is read with it, says so
    strange = unreadable_in(content)
    if strange:
        problems.append(f"{path.name} has {', '.join(strange)} not as sct_rootlets writes it")
    return content


def _landmarks(table: LevelTable) -> dict[str, float]:
    """Return where the landmarks lie on the axis of the table."""
    found = {} if table.pmj_mm is None else {"PMJ": table.pmj_mm}
    c2c3_mm = table.disc_s_mm.get(DISC_C2C3)
    return found if c2c3_mm is None else {**found, "C2/C3": c2c3_mm}


def _facts(sidecar: Mapping[str, Any], table: LevelTable) -> dict[str, str]:
    """Return what is said about how a result was made."""
    maker = maker_in(sidecar)
    facts = {"Definition": table.definition}
    model = maker.get("Model")
    if isinstance(model, Mapping):
        facts["Model"] = f"{model.get('Name')} {model.get('Version')}"
        facts["Model sha256"] = str(model.get("SHA256"))
    if maker.get("Name"):
        facts["Made by"] = f"{maker['Name']} {maker.get('Version', '')}".strip()
    if table.fname:
        facts["Rootlets"] = table.fname
    for key, value in parameters_in(sidecar).items():
        if value is not None and key != "definition":
            facts[key] = str(value)
    return facts


def _words(error: RootletsError) -> str:
    """Return an error without the folders of a machine, and without a remedy."""
    return error.problem if error.path is None else f"{Path(error.path).name}: {error.problem}"
