from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.engines import load_engine
from sct_rootlets.errors import InputError, ModelError
from sct_rootlets.image import Grid, LabelImage
from sct_rootlets.store import locate
from tests.engines.conftest import (
    CORD,
    CSF,
    ROOTLET,
    reoriented,
    spine,
    thresholds_for,
)
from tests.orientations import LETTERS, oblique_affine

SHAPE = (36, 36, 44)
ORIGIN = (-17.0, -17.0, -22.0)


def straight(shape=SHAPE, origin=ORIGIN):
    return spine(oblique_affine((1, 1, 1), (0, 0, 0), origin), shape)


def cord_of(labels: LabelImage) -> LabelImage:
    return labels.with_data((labels.data == CORD).astype(np.uint8))


def combined(result) -> np.ndarray:
    """Put the three masks of a segmentation into one label array."""
    assert not ((result.cord.data > 0) & (result.rootlets.data > 0)).any()
    return result.cord.data * CORD + result.csf.data * CSF + result.rootlets.data * ROOTLET


def dice(first: np.ndarray, second: np.ndarray) -> float:
    return 2 * (first & second).sum() / (first.sum() + second.sum())


def rescaled(data: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return data * 37 - 1200


def like_rootlets_in_a_corner(data: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The corner lies within the box that is looked at, and beyond the reach of the tiles."""
    data = data.copy()
    data[:3, :3] = np.median(data[truth == ROOTLET])
    return data


@pytest.mark.parametrize(
    ("shape", "origin", "changed"),
    [
        (SHAPE, ORIGIN, None),
        (SHAPE, ORIGIN, rescaled),
        ((46, 46, 44), (-22.0, -22.0, -22.0), like_rootlets_in_a_corner),
        ((20, 18, 22), (-9, -9, -12), None),  # smaller than the patch
    ],
    ids=["plain", "other intensities", "far from the cord", "padded"],
)
def test_at_1_mm_the_answer_is_exact_voxel_for_voxel(compact, shape, origin, changed):
    image, truth = straight(shape, origin)
    image = image.with_data(changed(image.data, truth.data)) if changed else image
    # Rescaled intensities are z-scored to what they were: the thresholds are those before.
    known = straight(shape, origin)[0] if changed is rescaled else image
    result = compact(known.data).predict(image, cord=cord_of(truth))
    np.testing.assert_array_equal(combined(result), truth.data)
    assert result.meanings == {1: "spinal nerve rootlets, level not told apart"}
    assert not result.has_level_identity
    assert set(result.rootlets.labels) == {1}


@pytest.mark.parametrize(
    ("tap_zyx", "toward"), [((1, 0, 0), (0, 0, 1)), ((0, 1, 0), (0, 1, 0)), ((0, 0, 1), (1, 0, 0))]
)
def test_array_axes_are_z_y_x_from_inferior_posterior_left(compact, tap_zyx, toward):
    """A network that looks one voxel further along an axis shifts its answer by 1 mm."""
    image, truth = straight()
    result = compact(image.data, tap_zyx=tap_zyx).predict(image, cord=cord_of(truth))
    shifted = np.roll(truth.data, [-n for n in toward], axis=(0, 1, 2))
    inner = (slice(2, -2), slice(2, -2), slice(4, -4))
    np.testing.assert_array_equal(combined(result)[inner], shifted[inner])
    assert (combined(result) != truth.data).sum() > 300


def test_mirrored_views_look_both_ways_and_are_averaged(compact):
    """One voxel to the left in the plain view is one to the right in the mirrored one."""
    image, truth = straight()
    cord = cord_of(truth)
    parts = {"coarse_threshold": None, "tap_zyx": (0, 0, 1)}
    engine = compact(image.data, **parts)
    plain = combined(engine.predict(image, cord=cord))
    mirrored = load_engine(locate(engine._model.folder), "cpu", 1, mirror=True)
    found = mirrored.predict(image, cord=cord)
    inner = (slice(3, -3), slice(2, -2), slice(4, -4))
    left, right = (np.roll(truth.data, n, axis=0)[inner] for n in (-1, 1))
    both = combined(found)[inner]
    # Rootlet is what both views are sure of; a threshold of 0.7 lets no single one decide.
    np.testing.assert_array_equal(both == ROOTLET, (left == ROOTLET) & (right == ROOTLET))
    assert (both[left == right] == left[left == right]).all()
    assert (plain[inner] == left).all()
    assert "2 mirrored views" in found.notes[0]
    assert "mirrored" not in engine.predict(image, cord=cord).notes[0]


def test_only_views_that_the_model_allows_are_mirrored(compact):
    image, truth = straight()
    engine = compact(image.data, None, tap_zyx=(0, 0, 1), mirroring_axes=None)
    asked = load_engine(locate(engine._model.folder), "cpu", 1, mirror=True)
    plain, same = (e.predict(image, cord=cord_of(truth)) for e in (engine, asked))
    np.testing.assert_array_equal(combined(plain), combined(same))
    assert "mirrored" not in same.notes[0]


def test_every_orientation_gives_the_same_answer(compact):
    affine = oblique_affine((1.3, 1.0, 1.7), (10, -7, 14), (-17.0, -17.0, -17.0))
    image, _ = spine(affine, (26, 32, 20))
    engine = compact(image.data, thresholds_for(image.data)[0][0], tap_zyx=(1, 1, -1))
    reference = engine.predict(image)
    for orientation in LETTERS:
        twin = reoriented(image, orientation)
        result = engine.predict(twin)
        assert result.rootlets.grid is twin.grid
        for name in ("rootlets", "cord", "csf"):
            expected = reoriented(getattr(reference, name), orientation).data
            np.testing.assert_array_equal(getattr(result, name).data, expected, orientation)
            assert expected.max() == 1


@pytest.mark.parametrize(
    ("spacing", "shape", "angles"),
    [
        ((0.8, 0.8, 0.8), (42, 42, 50), (0, 0, 0)),
        ((0.8, 0.8, 2.0), (46, 46, 22), (8, 5, -10)),
        ((2.0, 0.7, 0.7), (19, 54, 60), (-15, 10, 20)),
        ((0.5, 0.5, 1.0), (72, 72, 44), (0, 20, 0)),
    ],
)
def test_labels_lie_where_the_anatomy_is_on_any_grid(compact, spacing, shape, angles):
    """Oblique and anisotropic images are compared in world mm with the analytic shapes."""
    centred = oblique_affine(spacing, angles, (0, 0, 0))
    centred[:3, 3] = -centred[:3, :3] @ ((np.array(shape) - 1) / 2)
    image, truth = spine(centred, shape)
    result = compact(image.data).predict(image)
    # Between two intensities lie others, so that the class at a border is no one's truth.
    got, want = combined(result) > 0, truth.data > 0
    assert dice(got, want) > 0.85
    apart = image.grid.world_from_ijk(np.argwhere(got)).mean(axis=0)
    apart -= image.grid.world_from_ijk(np.argwhere(want)).mean(axis=0)
    assert np.abs(apart).max() < 0.3


def test_a_given_cord_spares_the_coarse_network_and_must_be_on_the_grid_and_not_empty(compact):
    image, truth = straight()
    engine = compact(image.data, coarse_threshold=None)
    result = engine.predict(image, cord=cord_of(truth))
    np.testing.assert_array_equal(combined(result), truth.data)
    with pytest.raises(ModelError, match=r"missing.*-s"):
        engine.predict(image)
    moved = image.grid.affine.copy()
    moved[0, 3] += 5
    truth_elsewhere = LabelImage(truth.data, Grid(SHAPE, moved), None, "moved.nii.gz")
    with pytest.raises(InputError, match="grid"):
        engine.predict(image, cord=truth_elsewhere)
    with pytest.raises(InputError, match="empty"):
        engine.predict(image, cord=truth.with_data(np.zeros(SHAPE, dtype=np.uint8)))


@pytest.mark.parametrize(
    ("threshold", "probabilities", "label"),
    [  # background, cord, csf, rootlet
        (0.7, [0.05, 0.05, 0.15, 0.75], ROOTLET),
        (0.7, [0.05, 0.15, 0.15, 0.65], 0),  # a doubtful rootlet is nothing else
        (0.7, [0.05, 0.60, 0.15, 0.20], CORD),
        (0.7, [0.10, 0.20, 0.50, 0.20], CSF),
        (0.7, [0.55, 0.15, 0.15, 0.15], 0),
        (0.7, [0.00, 0.00, 0.00, 0.00], 0),
        (0.3, [0.40, 0.20, 0.00, 0.40], ROOTLET),
        (0.3, [0.10, 0.50, 0.00, 0.40], CORD),
    ],
)
def test_the_threshold_of_the_model_decides(compact, threshold, probabilities, label):
    extra = {"sct_rootlets": {"rootlet_threshold": threshold}}
    engine = compact(straight()[0].data, coarse_threshold=None, extra=extra)
    assert engine._label(np.array(probabilities, np.float32)[:, None, None])[0, 0] == label


def test_progress_ends_at_its_total_in_every_stage(compact):
    image, _ = straight()
    calls: list[tuple[str, int, int]] = []
    compact(image.data).predict(image, progress=lambda *call: calls.append(call))
    last = {stage: (done, total) for stage, done, total in calls}
    assert list(last) == [
        "looking for the cord",
        "segmenting the rootlets",
        "back to the image's grid",
    ]
    assert all(done == total >= 1 for done, total in last.values())
    assert last["segmenting the rootlets"][1] > 1


def test_torch_threads_are_put_back(compact):
    import torch

    image, truth = straight()
    engine = compact(image.data, coarse_threshold=None)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        engine.predict(image, cord=cord_of(truth))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
