"""How SCT makes what a run needs: the command lines, and the names of what they write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sct_rootlets.files.sidecar import split_nifti

__all__ = ["AT_HAND", "Recipe", "cord", "discs_by_network", "discs_by_template", "pmj"]

#: Suffixes of the results, which are those of SCT: what a user has made with it already in the
#: same folder is found, and what is made here is found by SCT's users.
CORD, PMJ = "_seg", "_pmj"
DISCS_NETWORK, DISCS_TEMPLATE = "_totalspineseg_discs", "_seg_labeled_discs"
AT_HAND = {"cord": (CORD,), "discs": (DISCS_NETWORK, DISCS_TEMPLATE), "pmj": (PMJ,)}

#: Images whose cord is bright and whose CSF is dark, by the end of their name in BIDS.
_T1_LIKE = ("_T1w", "_UNIT1")


@dataclass(frozen=True)
class Recipe:
    """One command of SCT and what it makes.

    Attributes
    ----------
    command : str
    options : tuple of str
        Words after it.
    made : Path
        The file it writes, in the folder it was given.
    suffix : str
        What is added to the name of the image, for the result.
    task : str or None
        Task of ``sct_deepseg``.
    """

    command: str
    options: tuple[str, ...]
    made: Path
    suffix: str
    task: str | None = None

    @property
    def name(self) -> str:
        """The command with its task, as users speak of it."""
        return " ".join(filter(None, (self.command, self.task)))

    @property
    def line(self) -> str:
        """The command line with the names of files only: no path of a machine leaves it."""
        return " ".join([self.command, *(Path(option).name for option in self.options)])


def cord(image: Path, folder: Path) -> Recipe:
    """Return how the cord mask of `image` is made, in `folder`."""
    made = folder / f"{split_nifti(image)[1]}{CORD}.nii.gz"
    return _deepseg("spinalcord", image, made, made, CORD)


def discs_by_network(image: Path, folder: Path) -> Recipe:
    """Return how the discs of `image` are found by TotalSpineSeg, in `folder`.

    It labels the disc above vertebra N with N from C2/C3 = 3 on, at the posterior tip; where
    C1 is seen also 1, its top, and 2, halfway between. To the name given with ``-o`` it adds
    what each of its two images is.
    """
    base = folder / f"{split_nifti(image)[1]}.nii.gz"
    made = folder / f"{split_nifti(image)[1]}{DISCS_NETWORK}.nii.gz"
    return _deepseg("spine", image, base, made, DISCS_NETWORK)


def discs_by_template(image: Path, folder: Path, mask: Path) -> Recipe:
    """Return how the discs of `image` are found along its cord `mask`, in `folder`.

    They are on the cord, with C1/C2 and the first and last one placed by the proportions of
    the template. The result has the name of the mask.
    """
    _, stem, extension = split_nifti(mask)
    options = ("-i", image, "-s", mask, "-c", _contrast(image), "-ofolder", folder)
    return Recipe(
        "sct_label_vertebrae",
        tuple(map(str, options)),
        folder / f"{stem}_labeled_discs{extension}",
        DISCS_TEMPLATE,
    )


def pmj(image: Path, folder: Path, mask: Path | None) -> Recipe:
    """Return how the PMJ of `image` is found, in `folder`; a cord `mask` says where to look.

    Where SCT sees none it writes nothing, and its exit status is 0 as otherwise.
    """
    name = f"{split_nifti(image)[1]}{PMJ}.nii.gz"
    # With a path in -o instead of a name it would copy its result onto itself, and fail.
    options = ["-i", image, "-c", _contrast(image), "-ofolder", folder, "-o", name]
    # It copies both into one folder by their names.
    if mask is not None and mask.name != image.name:
        options += ["-s", mask]
    return Recipe("sct_detect_pmj", tuple(map(str, options)), folder / name, PMJ)


def _deepseg(task: str, image: Path, target: Path, made: Path, suffix: str) -> Recipe:
    options = (task, "-i", str(image), "-o", str(target))
    return Recipe("sct_deepseg", options, made, suffix, task)


def _contrast(image: Path) -> str:
    return "t1" if split_nifti(image)[1].endswith(_T1_LIKE) else "t2"
