"""Post-processing: by hand, and against SCT's own where one is installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray

from sct_rootlets.errors import UsageError
from sct_rootlets.image import Grid, LabelImage
from sct_rootlets.postprocess import (
    Sizes,
    Steps,
    binarized,
    fill_holes,
    keep_largest,
    postprocess,
    read_sizes,
    remove_small,
)
from tests.scts import in_scts_python, the_sct


def labels(data: NDArray[Any], spacing: tuple[float, ...] = (1.0, 1.0, 1.0)) -> LabelImage:
    shape = (data.shape[0], data.shape[1], data.shape[2])
    return LabelImage(data, Grid(shape, np.diag([*spacing, 1.0])), path="labels.nii.gz")


def empty(size: int = 9) -> NDArray[np.uint8]:
    return np.zeros((size, size, size), np.uint8)


def values(image: LabelImage) -> dict[int, int]:
    found, counts = np.unique(np.asarray(image.data), return_counts=True)
    return {int(v): int(n) for v, n in zip(found, counts, strict=True) if v}


def test_the_largest_object_is_one_of_all_values_together() -> None:
    data = empty()
    data[1:3, 1, 1] = 2  # touches the next one: together 5 voxels
    data[3:6, 1, 1] = 3
    data[1:5, 5, 5] = 4  # 4 voxels of one value
    assert values(keep_largest(labels(data))) == {2: 2, 3: 3}
    assert values(labels(data)) == {2: 2, 3: 3, 4: 4}  # the one given is as it was
    data[5, 5, 5] = 4  # of two as large the first is kept
    assert values(keep_largest(labels(data))) == {2: 2, 3: 3}


def test_objects_that_share_an_edge_only_are_two_for_the_largest_and_one_for_small_ones() -> None:
    data = empty()
    data[1:3, 1, 1] = 5
    data[3, 2, 1] = 5  # shares an edge with the last voxel
    assert values(keep_largest(labels(data))) == {5: 2}
    assert values(remove_small(labels(data), Sizes((3.0,), "vox"))) == {5: 3}
    data[4, 3, 2] = 5  # shares a corner with the one before: an object of its own
    assert values(remove_small(labels(data), Sizes((2.0,), "vox"))) == {5: 3}


def shell(value: int = 1) -> NDArray[np.uint8]:
    data = empty()
    data[2:7, 2:7, 2:7] = value
    data[3:6, 3:6, 3:6] = 0
    return data


def test_a_hole_is_filled_with_the_value_around_it() -> None:
    assert values(fill_holes(labels(shell(6)))) == {6: 125}
    data = shell(6)
    data[4, 4, 4] = 3  # what is inside stays
    assert values(fill_holes(labels(data))) == {3: 1, 6: 124}


def test_what_is_open_or_enclosed_by_two_values_is_no_hole() -> None:
    at_a_corner, of_two_values, at_the_edge = shell(), shell(2), shell()[2:]
    at_a_corner[2, 2, 2] = 0
    of_two_values[2] *= 2  # one side of the shell has another value
    at_the_edge[0] = 0
    for data in (at_a_corner, of_two_values, at_the_edge):
        np.testing.assert_array_equal(fill_holes(labels(data)).data, data)


def rods() -> NDArray[np.uint8]:
    """Return rods of 2, 3, 4 and 5 voxels of the values 2, 3, 4 and 3."""
    data = empty(12)
    for row, (length, value) in enumerate(((2, 2), (3, 3), (4, 4), (5, 3))):
        data[1 : 1 + length, 3 * row, 1] = value
    return data


@pytest.mark.parametrize(
    ("spacing", "least", "unit", "kept"),
    [
        ((1.0, 1.0, 1.0), 4.0, "vox", {3: 5, 4: 4}),
        ((1.0, 1.0, 1.0), 0.0, "vox", {2: 2, 3: 8, 4: 4}),
        ((1.0, 1.0, 1.0), 4.0, "mm3", {3: 5, 4: 4}),
        ((0.5, 0.5, 1.0), 1.0, "mm3", {3: 5, 4: 4}),  # 4 voxels
        ((0.5, 0.5, 2.0), 1.2, "mm3", {2: 2, 3: 8, 4: 4}),  # 2.4 voxels: 2
        ((0.4, 1.0, 1.0), 1.0, "mm3", {2: 2, 3: 8, 4: 4}),  # 2.5 voxels: 2, the even one
        ((0.4, 1.0, 1.0), 1.4, "mm3", {3: 5, 4: 4}),  # 3.5 voxels: 4, the even one
    ],
)
def test_objects_below_the_least_size_rounded_to_voxels_go(
    spacing: tuple[float, ...], least: float, unit: str, kept: dict[int, int]
) -> None:
    assert values(remove_small(labels(rods(), spacing), Sizes((least,), unit))) == kept


def test_one_size_for_each_class() -> None:
    sizes = read_sizes(["2", "4", "5vox"])
    assert values(remove_small(labels(rods()), sizes, (2, 3, 4))) == {2: 2, 3: 5}
    with pytest.raises(UsageError, match="3 values, and the number of classes is 8"):
        remove_small(labels(rods()), sizes, range(2, 10))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["5vox"], Sizes((5.0,), "vox")),
        (["5"], Sizes((5.0,), "vox")),
        (["1mm3"], Sizes((1.0,), "mm3")),
        (["10", "20", "10vox"], Sizes((10.0, 20.0, 10.0), "vox")),
        (["10mm3", "20mm3"], Sizes((10.0, 20.0), "mm3")),
        (["0.5mm3"], Sizes((0.5,), "mm3")),
    ],
)
def test_sizes_as_sct_reads_them(words: list[str], expected: Sizes) -> None:
    assert read_sizes(words) == expected


@pytest.mark.parametrize(
    "words", [["5cm"], ["vox"], ["10", "vox"], ["10mm3", "5vox"], ["1.5vox"], ["-3vox"], [""]]
)
def test_sizes_that_are_none(words: list[str]) -> None:
    with pytest.raises(UsageError, match="-remove-small"):
        read_sizes(words)


def test_a_threshold_makes_one_value_of_all_levels() -> None:
    assert values(binarized(labels(rods()), 0.5)) == {1: 14}
    assert values(binarized(labels(rods()), 3)) == {1: 4}
    steps = Steps(threshold=0.5, fill_holes=True)
    assert not steps.keeps_levels
    assert Steps(threshold=0.0).keeps_levels


def test_steps_in_their_order_and_none_of_them() -> None:
    image = labels(rods())
    assert postprocess(image, Steps()) is image
    assert not Steps().any
    # Of the largest object nothing is left to be small; the other way round nothing would be.
    steps = Steps(largest=True, remove_small=read_sizes(["6vox"]))
    assert values(postprocess(image, steps)) == {}
    one = Steps(threshold=2.5, remove_small=read_sizes(["4vox"]))
    assert values(postprocess(image, one, (2, 3, 4))) == {1: 9}
    assert steps.parameters["remove_small"] == "6vox"


#: What SCT is asked for, and what of it SCT cannot do with several values.
CASES: list[dict[str, Any]] = [
    {"largest": 1},
    {"remove_small": ["6vox"]},
    {"remove_small": ["6"]},
    {"remove_small": ["3mm3"]},
    {"remove_small": ["1mm3"]},
    {"largest": 1, "remove_small": ["40vox"]},
    {"thr": 0.5},
    {"thr": 2, "fill_holes": 1},
    {"thr": 0.5, "fill_holes": 1, "largest": 1, "remove_small": ["9mm3"]},
    {"thr": 0},
    {"fill_holes": 1},
    {"remove_small": ["3", "4", "5vox"]},
    {"remove_small": ["1.5mm3"]},
]

_SCT = """
import json, sys
import nibabel as nib
from spinalcordtoolbox.deepseg import inference
inference.ds_nnunet.create_nnunet_from_plans = lambda *a, **k: None
said = []
for number, (fname, case) in enumerate(json.loads(sys.argv[1])):
    inference.segment_nnunet = lambda path_img, **k: ([path_img], ["_rootlets"])
    try:
        images, targets = inference.segment_non_ivadomed(
            "model", "nnunet", [fname], case.get("thr"), case.get("largest", 0),
            case.get("fill_holes", 0), case.get("remove_small"), extra_network_kwargs={},
            extra_inference_kwargs={})
        images[0].save(fname.replace(".nii", f"-{number}.nii"))
        said.append(None)
    except Exception as error:
        said.append(type(error).__name__)
print()
print(json.dumps(said))
"""


@pytest.mark.sct
@pytest.mark.slow
def test_against_scts_own_on_random_labels(tmp_path: Path) -> None:
    """Every case on images of many objects of several values, dense enough for holes."""
    the_sct()
    rng = np.random.default_rng(5)
    jobs, images = [], {}
    for name, share, spacing in (("few", 0.1, (1.0, 1.0, 1.0)), ("many", 0.55, (0.5, 0.8, 1.2))):
        smooth = rng.integers(2, 6, (20, 18, 16)) * (rng.random((20, 18, 16)) < share)
        image = labels(smooth.astype(np.uint8), spacing)
        path = tmp_path / f"{name}.nii"
        nib.save(nib.Nifti1Image(np.asarray(image.data), image.grid.affine), path)
        images[str(path)] = image
        jobs += [(str(path), case) for case in CASES]
    said = in_scts_python(_SCT, json.dumps(jobs))
    compared = 0
    for number, ((fname, case), error) in enumerate(zip(jobs, said, strict=True)):
        small = case.get("remove_small")
        if error is not None:
            # What SCT cannot do: holes in several classes, a size a class, a decimal.
            several = case == {"fill_holes": 1} or (small is not None and len(small) > 1)
            assert error == ("AssertionError" if "fill_holes" in case else "ValueError")
            assert several or small == ["1.5mm3"]
            continue
        steps = Steps(
            threshold=case.get("thr"),
            largest=bool(case.get("largest")),
            fill_holes=bool(case.get("fill_holes")),
            remove_small=None if small is None else read_sizes(small),
        )
        theirs = np.asarray(nib.load(fname.replace(".nii", f"-{number}.nii")).dataobj)
        ours = postprocess(images[fname], steps, (2, 3, 4, 5))
        np.testing.assert_array_equal(np.asarray(ours.data), theirs, err_msg=f"{case} {fname}")
        compared += 1
    assert compared == 2 * (len(CASES) - 3)
