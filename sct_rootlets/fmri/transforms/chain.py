"""Affines, displacement fields, and chains of them, as maps of world points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from sct_rootlets.errors import UsageError
from sct_rootlets.image import Grid

__all__ = ["IDENTITY", "Affine", "Chain", "DisplacementField", "Transform"]

Floats = NDArray[np.float64]

#: Rounding of coordinates, in voxels, that does not put a point outside a field.
_ROUNDING = 1e-3


class Transform(Protocol):
    """What maps points of a destination to a source."""

    @property
    def path(self) -> str:
        """Where it came from, for messages."""
        ...

    def source_from_destination(self, xyz_world: ArrayLike) -> Floats:
        """Map world mm (N, 3) of the destination to world mm of the source."""
        ...

    def inverse(self) -> Transform:
        """Return the map of the other direction.

        Raises
        ------
        UsageError
            If there is none that could be computed exactly.
        """
        ...


@dataclass(frozen=True, eq=False)
class Affine:
    """An affine map.

    Attributes
    ----------
    matrix : (4, 4) array
        World mm (RAS+) of the source from world mm (RAS+) of the destination.
    path : str
    """

    matrix: Floats
    path: str = "affine in memory"

    def source_from_destination(self, xyz_world: ArrayLike) -> Floats:
        """Map world mm (N, 3) of the destination to world mm of the source."""
        return np.asarray(xyz_world, dtype=float) @ self.matrix[:3, :3].T + self.matrix[:3, 3]

    def inverse(self) -> Affine:
        """Return the map of the other direction."""
        return Affine(np.asarray(np.linalg.inv(self.matrix), dtype=np.float64), self.path)


@dataclass(frozen=True, eq=False)
class DisplacementField:
    """A displacement at every voxel of a grid in the destination.

    Attributes
    ----------
    grid : Grid
    displacement_mm : (I, J, K, 3) array
        What is added to a point of the destination, world mm (RAS+); NaN where the field has
        no answer.
    path : str
    remarks : tuple of str
        What the header of its file leaves open.

    Notes
    -----
    Displacements are interpolated linearly, as ITK does, to the outer faces of the outermost
    voxels. Beyond them the answer is NaN: ITK adds nothing there, so that whatever happens to
    lie at the same coordinates appears a second time.
    """

    grid: Grid
    displacement_mm: NDArray[Any]
    path: str = "field in memory"
    remarks: tuple[str, ...] = ()

    @cached_property
    def _known(self) -> NDArray[np.bool_]:
        return np.asarray(np.isfinite(self.displacement_mm).all(axis=-1))

    @cached_property
    def _filled(self) -> tuple[NDArray[Any], ...]:
        """The three components, 0 where they are not known, each contiguous."""
        known = self._known[..., None]
        filled = np.where(known, self.displacement_mm, 0)
        return tuple(np.ascontiguousarray(filled[..., axis]) for axis in range(3))

    def source_from_destination(self, xyz_world: ArrayLike) -> Floats:
        """Map world mm (N, 3) of the destination to world mm of the source, NaN beyond it."""
        xyz = np.asarray(xyz_world, dtype=float)
        ijk = self.grid.ijk_from_world(xyz)
        last = np.array(self.grid.shape) - 1
        inside = np.all((ijk >= -0.5 - _ROUNDING) & (ijk <= last + 0.5 + _ROUNDING), axis=-1)
        at = np.clip(ijk, 0, last).T

        def sample(values: NDArray[Any]) -> Floats:
            return np.asarray(scipy.ndimage.map_coordinates(values, at, np.float64, order=1))

        moved = np.stack([sample(component) for component in self._filled], axis=-1)
        if not self._known.all():
            # Next to voxels without an answer those that have one count, as far as half the
            # way; ITK would mix the huge number that it writes for "none" into the result.
            share = sample(self._known.astype(np.float32))
            inside &= share >= 0.5 - _ROUNDING
            moved /= np.maximum(share, 0.1)[:, None]
        return np.where(inside[:, None], xyz + moved, np.nan)

    def inverse(self) -> Transform:
        """Raise: a displacement field has no inverse that could be computed exactly."""
        raise UsageError(
            "is a displacement field, and only affines can be inverted",
            path=self.path,
            remedy="Give the field of the other direction with -w: registrations write both, "
            "warp_A2B and warp_B2A",
        )


@dataclass(frozen=True, eq=False)
class Chain:
    """Transforms to be applied as one, without an image in between.

    Attributes
    ----------
    steps : tuple of Transform
        In the order in which ``sct_apply_transfo -w`` takes them: the first one starts at the
        source, the last one ends at the destination. Points go through them backwards.
    """

    steps: tuple[Transform, ...] = ()

    def source_from_destination(self, xyz_world: ArrayLike) -> Floats:
        """Map world mm (N, 3) of the destination to world mm of the source.

        NaN where a displacement field of the chain has no answer.
        """
        xyz = np.asarray(xyz_world, dtype=float).reshape(-1, 3)
        for step in reversed(self.steps):
            xyz = step.source_from_destination(xyz)
        return xyz

    @property
    def is_affine(self) -> bool:
        """Whether no step is a displacement field."""
        return all(isinstance(step, Affine) for step in self.steps)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the headers of its displacement fields leave open."""
        fields = [step for step in self.steps if isinstance(step, DisplacementField)]
        return tuple(remark for field in fields for remark in field.remarks)

    def inverse(self) -> Chain:
        """Return the chain of the other direction.

        Raises
        ------
        UsageError
            If a step is a displacement field.
        """
        return Chain(tuple(step.inverse() for step in reversed(self.steps)))

    def describe(self) -> list[str]:
        """Return the file of every step, in order."""
        return [step.path for step in self.steps]


#: The chain of images that share one world.
IDENTITY = Chain()
