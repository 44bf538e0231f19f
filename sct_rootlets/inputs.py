"""What a user gives, checked: image, rootlets, cord mask, discs, vertebrae, PMJ.

One image is the reference: the MR image, or else the rootlets, or else the cord mask. What
has voxels in common with it (rootlets, cord mask) has to be on its grid, in any orientation.
Landmarks are points in the world and may be on any grid of the same world.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Union

import numpy as np

from sct_rootlets.anatomy import disc_name
from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.image import (
    Image,
    LabelImage,
    check_header,
    load_cord,
    load_image,
    load_labels,
    on_grid_of,
    require_cord_size,
    require_one_world,
)

__all__ = [
    "ImageLike",
    "LabelsLike",
    "LandmarkImages",
    "Landmarks",
    "Point",
    "check_readable",
    "files_of",
    "name_of",
    "read_cord",
    "read_image",
    "read_rootlets",
    "remarks_of",
]

ImageLike = Union[str, "os.PathLike[str]", Image]
LabelsLike = Union[str, "os.PathLike[str]", LabelImage]
Point = tuple[float, float, float]

#: Fewer grey values than this make no MR image.
_FEWEST_GREY_VALUES = 8
#: In so many voxels, spread over the image, an MR image has more values than that.
_SAMPLE = 100_000
#: Labels that are discs: C1/C2 to L5/S1.
_DISCS = range(2, 26)
#: A label of more voxels than this, nearly all of them in the cord, is no disc.
_LARGEST_DISC_ON_CORD = 60


@dataclass(frozen=True, eq=False)
class Landmarks:
    """What says where along the cord one is: files, or images that were read from them.

    Attributes
    ----------
    discs : path-like or LabelImage, optional
        Disc labels, on any grid of the same world.
    vertebrae : path-like or LabelImage, optional
        Instead of `discs`, a cord labelled with vertebral levels, or points at the centres of
        vertebral bodies.
    c2c3_world : (x, y, z), optional
        Posterior tip of the C2/C3 disc in world RAS+ mm.
    pmj : path-like or LabelImage, optional
        Pontomedullary junction.
    """

    discs: LabelsLike | None = None
    vertebrae: LabelsLike | None = None
    c2c3_world: Point | None = None
    pmj: LabelsLike | None = None

    @property
    def name_levels(self) -> bool:
        """Whether they can say which level rootlets belong to."""
        return any(given is not None for given in (self.discs, self.vertebrae, self.c2c3_world))

    @property
    def files(self) -> tuple[Path, ...]:
        """The files among them."""
        given = (self.discs, self.vertebrae, self.pmj)
        return tuple(Path(one) for one in given if isinstance(one, (str, os.PathLike)))

    def read(self, reference: Image) -> LandmarkImages:
        """Read and check them.

        Raises
        ------
        InputError
            If a file cannot be used, or lies outside the field of view of `reference`.
        UsageError
            If it holds something else than is meant, discs and vertebrae are both given, or
            the point lies outside the field of view.
        """
        if self.discs is not None and self.vertebrae is not None:
            raise UsageError(
                "disc labels and vertebrae are both given, and might contradict each other",
                remedy="Give one of -discs and -vertfile",
            )
        if self.c2c3_world is not None and not reference.grid.contains(self.c2c3_world):
            place = ",".join(f"{value:g}" for value in self.c2c3_world)
            raise UsageError(
                f"the point {place} of -c2c3 lies outside the field of view",
                path=reference.path,
                remedy="Give world RAS+ mm (scanner coordinates), not voxel indices",
            )
        discs = None if self.discs is None else _labels(self.discs, "disc labels")
        vertebrae = None if self.vertebrae is None else _labels(self.vertebrae, "vertebrae")
        pmj = None if self.pmj is None else _labels(self.pmj, "PMJ label")
        for given in (discs, vertebrae, pmj):
            require_one_world(reference, given)
        return LandmarkImages(
            None if discs is None else _discs(discs, reference),
            vertebrae,
            self.c2c3_world,
            None if pmj is None else _pmj(pmj, reference),
        )


@dataclass(frozen=True, eq=False)
class LandmarkImages(Landmarks):
    """Landmarks that were read; those of :meth:`Landmarks.read` are in the field of view."""

    discs: LabelImage | None = None
    vertebrae: LabelImage | None = None
    pmj: LabelImage | None = None

    @property
    def images(self) -> tuple[LabelImage, ...]:
        """The images among them."""
        return tuple(im for im in (self.discs, self.vertebrae, self.pmj) if im is not None)

    @property
    def parameters(self) -> dict[str, Any]:
        """What was given, as plain values for a JSON file."""
        point = self.c2c3_world
        return {
            "discs": name_of(self.discs),
            "vertebrae": name_of(self.vertebrae),
            "c2c3_world_mm": None if point is None else list(point),
            "pmj": name_of(self.pmj),
        }

    def require_points(self, cord: LabelImage) -> None:
        """Raise a `UsageError` if the disc labels are a labelled cord."""
        if self.discs is None:
            return
        for label in self.discs.labels:
            points = self.discs.points_world(label)
            if len(points) <= _LARGEST_DISC_ON_CORD:
                continue
            ijk = np.rint(cord.grid.ijk_from_world(points)).astype(int)
            ijk = ijk[np.all((ijk >= 0) & (ijk < cord.grid.shape), axis=1)]
            on_cord = int((np.asarray(cord.data)[tuple(ijk.T)] > 0).sum())
            if on_cord > 0.9 * len(points):
                raise UsageError(
                    f"looks like a labelled cord: label {label} fills {on_cord} voxels of the cord",
                    path=self.discs.path,
                    remedy="Give a cord labelled with vertebral levels with -vertfile; disc labels "
                    "are single points",
                )


def check_readable(
    image: ImageLike, cord: LabelsLike | None = None, *, volume: int | None = None
) -> None:
    """Check of an image and its cord mask what needs no reading of voxels.

    Parameters and errors as of :func:`read_image` and :func:`read_cord`, which find the rest.
    """
    if not isinstance(image, Image):
        check_header(image, "image", volume)
    if cord is not None and not isinstance(cord, LabelImage):
        check_header(cord, "cord mask", takes_volume=False)


def read_image(image: ImageLike, volume: int | None = None) -> Image:
    """Read an MR image.

    Parameters
    ----------
    image : path-like or Image
    volume : int, optional
        Volume of a 4D file to take, from 0.

    Raises
    ------
    InputError
        If it cannot be read, or looks like a mask.
    UsageError
        If it has no such `volume`.
    """
    if isinstance(image, Image) and volume:
        raise UsageError(
            f"has one volume, and volume {volume} is asked for",
            path=image.path,
            remedy="Give the file of the 4D image",
        )
    loaded = image if isinstance(image, Image) else load_image(image, "image", volume=volume)
    # To sort the values of a large image takes seconds; nearly always a part of them will do.
    values = np.unique(loaded.data.flat[:: max(1, loaded.data.size // _SAMPLE)])
    if len(values) < _FEWEST_GREY_VALUES:
        values = np.unique(loaded.data)
    if len(values) < _FEWEST_GREY_VALUES:
        raise InputError(
            f"has only {len(values)} different values: it looks like a mask or labels, not "
            "like an MR image",
            path=loaded.path,
            remedy="Give the MR image itself with -i",
        )
    return loaded


def read_cord(cord: LabelsLike, reference: Image | None = None) -> LabelImage:
    """Read a cord mask, in the orientation of `reference` where one is given.

    Raises
    ------
    InputError
        If it cannot be read, is larger than any cord, or has other voxels than `reference`.
    """
    if isinstance(cord, LabelImage):
        require_cord_size(cord)
    loaded = cord if isinstance(cord, LabelImage) else load_cord(cord)
    return loaded if reference is None else on_grid_of(loaded, reference)


def read_rootlets(rootlets: LabelsLike) -> LabelImage:
    """Read rootlets.

    Raises
    ------
    InputError
        If they cannot be read, or look like point labels.
    """
    loaded = rootlets if isinstance(rootlets, LabelImage) else load_labels(rootlets, "rootlets")
    count = int(np.count_nonzero(loaded.data))
    if 0 < count <= 2 * len(loaded.labels):
        raise InputError(
            f"has {count} voxels in all: it looks like point labels, not like rootlets",
            path=loaded.path,
            remedy="Give the segmentation of the rootlets with -i; disc labels belong to -discs",
        )
    return loaded


def name_of(image: Image | None) -> str | None:
    """Return the file name of an image."""
    return None if image is None else Path(image.path).name


def remarks_of(*images: Image | None) -> tuple[str, ...]:
    """Return what had to be done to the images to read them."""
    return tuple(remark for im in images if im is not None for remark in im.remarks)


def files_of(*images: Image | None) -> tuple[str, ...]:
    """Return the files that the images were read from."""
    return tuple(im.path for im in images if im is not None and os.path.exists(im.path))


def _labels(labels: LabelsLike, role: str) -> LabelImage:
    return labels if isinstance(labels, LabelImage) else load_labels(labels, role)


def _discs(discs: LabelImage, reference: Image) -> LabelImage:
    """Return the disc labels that lie in the field of view of `reference`."""
    found = [label for label in discs.labels if label in _DISCS]
    if not found:
        raise UsageError(
            f"holds no disc label, only {discs.labels}",
            path=discs.path,
            remedy="Give -discs with at least one disc label (C2/C3 = 3), or -c2c3 x,y,z",
        )
    inside = [
        label for label in found if reference.grid.contains(discs.points_world(label).mean(axis=0))
    ]
    if not inside:
        raise InputError(
            f"has all its discs outside the field of view of {reference.path}",
            path=discs.path,
            remedy="Both have to be in the same world (scanner coordinates)",
        )
    outside = [label for label in found if label not in inside]
    if not outside:
        return discs
    names = ", ".join(disc_name(label) for label in outside)
    remark = f"{os.path.basename(discs.path)}: outside the field of view, not used: {names}"
    data = np.where(np.isin(discs.data, outside), 0, discs.data)
    return replace(discs, data=data, remarks=(*discs.remarks, remark))


def _pmj(pmj: LabelImage, reference: Image) -> LabelImage:
    """Return the PMJ; outside the field of view it is far from the cord, which is said."""
    if reference.grid.contains(pmj.points_world()).any():
        return pmj
    remark = (
        f"{os.path.basename(pmj.path)} lies outside the field of view of "
        f"{os.path.basename(reference.path)}: the cord is taken to go straight on to it"
    )
    return replace(pmj, remarks=(*pmj.remarks, remark))
