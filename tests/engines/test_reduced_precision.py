from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.engines.engine import Segmentation
from sct_rootlets.engines.reduced_precision import (
    FEWEST_VOXELS,
    IMAGES,
    LEAST_DICE,
    LEAST_EQUAL,
    LEAST_WHOLE_DICE,
    Agreement,
    Candidate,
    TrialEngine,
    agreement,
    read_agreements,
)
from sct_rootlets.image import Grid, Image, LabelImage

SHAPE = (40, 40, 40)
GRID = Grid(SHAPE, np.eye(4))


def labels(values) -> LabelImage:
    return LabelImage(values.astype(np.uint8), GRID, None, "labels")


def segmentation(values) -> Segmentation:
    return Segmentation(labels(values), None, None, True, {3: "C3", 4: "C4"})


def two_levels(*changes):
    """Return values of two levels, with each (where, value) changed."""
    values = np.zeros(SHAPE)
    values[10:20, 18:22, 10:20] = 3
    values[10:20, 18:22, 25:35] = 4
    for where, value in changes:
        values[where] = value
    return values


#: One voxel of C3 at its end.
CLOSE = ((10, 18, 10), 0)


def compared(found, cord=None, expected=None):
    """Return the agreement of `found` with two levels, unless others are expected."""
    expected = two_levels() if expected is None else expected
    return agreement(segmentation(expected), segmentation(found), cord)


def mask(*voxels) -> LabelImage:
    values = np.zeros(SHAPE)
    for voxel in voxels:
        values[voxel] = 1
    return labels(values)


def test_agreement_counts_what_it_says():
    expected = two_levels()
    found = two_levels(
        (np.s_[12:14, 18, 15], 0),  # two voxels of C3 within 10 mm
        CLOSE,  # 12 mm away
        ((0, 0, 0), 4),  # far away: counts in the whole image only
    )
    measured = compared(found, mask((15, 20, 22)))
    x, y, z = np.indices(SHAPE)
    ball = (x - 15) ** 2 + (y - 20) ** 2 + (z - 22) ** 2 <= 100
    third, fourth = (int(((expected == level) & ball).sum()) for level in (3, 4))
    assert 0 < third < 400
    assert 0 < fourth < 400
    assert measured.equal == pytest.approx(1 - 2 / ball.sum())
    assert measured.lowest_dice == pytest.approx(2 * (third - 2) / (2 * third - 2))
    assert measured.whole_dice == pytest.approx(2 * 797 / (800 + 798))
    assert measured.voxels == third + fourth


def test_without_a_cord_what_the_reference_labelled_says_where():
    measured = compared(two_levels(CLOSE, ((0, 0, 0), 4)))
    assert 1 - 1e-3 < measured.equal < 1
    assert measured.lowest_dice == pytest.approx(2 * 399 / 799)
    assert measured.voxels == 800


def test_the_references_own_cord_counts_unless_one_is_given():
    expected, found = two_levels(), two_levels((np.s_[10:20, 18:22, 10:20], 5))  # all of C3
    at_fourth = mask((15, 20, 30), (15, 20, 36))
    at_third = mask((15, 20, 8), (15, 20, 14))
    own = replace(segmentation(expected), cord=at_fourth)
    assert agreement(own, segmentation(found)).lowest_dice == 1
    assert agreement(own, segmentation(found), at_third).lowest_dice == 0


def test_a_cord_far_from_what_was_labelled_does_not_say_where():
    found = two_levels(CLOSE)
    for far in (mask((39, 0, 0)), mask()):
        assert compared(found, far) == compared(found)


def test_a_level_that_only_one_has_or_that_is_swapped_is_no_agreement():
    assert compared(two_levels(((0, 0, 0), 9))).lowest_dice == 0
    swapped = np.select([two_levels() == 3, two_levels() == 4], [4, 3])
    assert compared(swapped).whole_dice == 0


def test_nothing_in_either_is_agreement_on_nothing():
    measured = compared(np.zeros(SHAPE), expected=np.zeros(SHAPE))
    assert measured == Agreement(1.0, 1.0, 1.0, 0)
    assert not measured.passes


@pytest.mark.parametrize(
    ("measured", "passes"),
    [
        (Agreement(LEAST_EQUAL, LEAST_DICE, LEAST_WHOLE_DICE, FEWEST_VOXELS), True),
        (Agreement(0.9994, 0.999, 0.999, 10_000), False),
        (Agreement(0.9999, 0.9974, 0.999, 10_000), False),
        (Agreement(0.9999, 0.999, 0.9949, 10_000), False),
        (Agreement(1.0, 1.0, 1.0, FEWEST_VOXELS - 1), False),
    ],
)
def test_the_bounds(measured, passes):
    assert measured.passes is passes


class Stub:
    """An engine that answers what it is told, and counts."""

    def __init__(self, values):
        self.values, self.loaded, self.predicted = values, 0, 0

    def load(self):
        self.loaded += 1
        return self

    def predict(self, image, *, cord=None, progress=None):
        self.predicted += 1
        return segmentation(self.values)


IMAGE = Image(np.zeros(SHAPE, dtype=np.float32), GRID)


def trying(exact, faster, record, finder=None):
    return TrialEngine(exact.load, [Candidate(faster.load, record, "half arithmetic")], finder)


def test_what_agrees_on_enough_images_is_used_from_then_on(tmp_path: Path):
    values, close = two_levels(), two_levels(CLOSE)
    exact, faster = Stub(values), Stub(close)
    record = tmp_path / "new" / "trial.json"
    for number in range(IMAGES):  # in processes of their own
        result = trying(exact, faster, record).predict(IMAGE)
        np.testing.assert_array_equal(result.rootlets.data, values)
        wanted = "from the next image on" if number == IMAGES - 1 else "not used before"
        assert wanted in result.notes[-1]
    assert "0.9987" in result.notes[-1]
    engine = trying(exact, faster, record)
    for _ in (1, 2):
        later = engine.predict(IMAGE)
        np.testing.assert_array_equal(later.rootlets.data, close)
        assert "is used:" in later.notes[-1]
    assert (exact.predicted, faster.predicted) == (IMAGES, IMAGES + 2)
    kept = json.loads(record.read_text())["images"]
    assert [each["passes"] for each in kept] == [True] * IMAGES
    (tmp_path / "plain").touch()  # others who share the store read it too
    assert record.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_one_image_on_which_it_does_not_agree_is_enough(tmp_path: Path):
    exact, faster = Stub(two_levels()), Stub(two_levels())
    engine = trying(exact, faster, tmp_path / "trial.json")
    engine.predict(IMAGE)
    faster.values = np.roll(two_levels(), 1, axis=0)
    engine.predict(IMAGE)
    faster.values = two_levels()
    for _ in range(IMAGES):
        assert "is not used, as" in engine.predict(IMAGE).notes[-1]
    assert faster.predicted == 2


def test_an_image_of_few_rootlets_proves_nothing(tmp_path: Path):
    few = np.where(np.indices(SHAPE)[0] < 11, two_levels(), 0)
    exact, faster = Stub(few), Stub(few)
    engine = trying(exact, faster, tmp_path / "trial.json")
    assert engine.predict(IMAGE).notes == []
    assert not (tmp_path / "trial.json").exists()
    exact.values = faster.values = two_levels()
    assert "not used before" in engine.predict(IMAGE).notes[-1]


def test_a_record_that_cannot_be_kept_holds_as_long_as_the_engine(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    exact, faster = Stub(two_levels()), Stub(two_levels())
    engine = trying(exact, faster, tmp_path / "file" / "trial.json")
    for _ in range(IMAGES + 2):
        engine.predict(IMAGE)
    assert (exact.predicted, faster.predicted) == (IMAGES, IMAGES + 2)


#: Of a comparison that did not measure all that is measured now.
OLD = {"images": [{"equal": 0.9999, "lowest_dice": 0.996, "voxels": 900, "passes": False}]}


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"equal": 1}', '{"equal": "x"}', json.dumps(OLD)]
)
def test_where_a_record_cannot_be_read_it_is_compared_again(tmp_path: Path, content):
    record = tmp_path / "trial.json"
    record.write_text(content)
    assert read_agreements(record) == []
    notes = trying(Stub(two_levels()), Stub(two_levels()), record).predict(IMAGE).notes
    assert "not used before" in notes[-1]


def in_turn(exact, fastest, slower, folder):
    candidates = [
        Candidate(stub.load, folder / f"{name}.json", name)
        for name, stub in (("halves", fastest), ("mixed", slower))
    ]
    return TrialEngine(exact.load, candidates)


def test_where_the_fastest_fails_the_next_is_compared_from_that_image_on(tmp_path: Path):
    values, close = two_levels(), two_levels(CLOSE)
    exact, fastest, slower = Stub(values), Stub(values), Stub(close)
    (notes,) = [in_turn(exact, fastest, slower, tmp_path).predict(IMAGE).notes]
    assert [note.split(" is")[0] for note in notes] == ["halves"]
    fastest.values = np.roll(values, 1, axis=0)
    for number in range(IMAGES):  # in processes of their own
        result = in_turn(exact, fastest, slower, tmp_path).predict(IMAGE)
        np.testing.assert_array_equal(result.rootlets.data, values)
        assert "halves is not used, as that is too little" in result.notes[0]
        wanted = "from the next image on" if number == IMAGES - 1 else "not used before"
        assert wanted in result.notes[1]
    result = in_turn(exact, fastest, slower, tmp_path).predict(IMAGE)
    np.testing.assert_array_equal(result.rootlets.data, close)
    assert "mixed is used:" in result.notes[1]
    assert (exact.predicted, fastest.predicted, slower.predicted) == (1 + IMAGES, 2, IMAGES + 1)


def test_where_the_fastest_has_agreed_the_next_is_not_run(tmp_path: Path):
    exact, fastest, slower = Stub(two_levels()), Stub(two_levels()), Stub(two_levels())
    engine = in_turn(exact, fastest, slower, tmp_path)
    for _ in range(IMAGES + 1):
        engine.predict(IMAGE)
    assert (exact.predicted, fastest.predicted, slower.loaded) == (IMAGES, IMAGES + 1, 0)


def test_where_none_agrees_the_exact_engine_stays(tmp_path: Path):
    far = np.roll(two_levels(), 1, axis=0)
    exact, fastest, slower = Stub(two_levels()), Stub(far), Stub(far)
    for _ in range(2):
        engine = in_turn(exact, fastest, slower, tmp_path)
        for _ in range(2):
            result = engine.predict(IMAGE)
            np.testing.assert_array_equal(result.rootlets.data, exact.values)
            assert ["is not used, as" in note for note in result.notes] == [True, True]
    assert (fastest.predicted, slower.predicted) == (1, 1)


def test_the_cord_is_looked_for_where_none_is_known_and_only_to_compare(tmp_path: Path):
    # As many voxels as change the Dice of a level, far from any cord.
    exact, faster = Stub(two_levels()), Stub(two_levels((np.s_[0, 0, :4], 4)))
    cord = mask(*((15, 20, z) for z in range(8, 38)))
    looked: list[Image] = []

    def find(image):
        looked.append(image)
        return cord

    for name, finder in (("without.json", None), ("none.json", lambda image: None)):
        assert (
            "is not used, as"
            in trying(exact, faster, tmp_path / name, finder).predict(IMAGE).notes[-1]
        )
    trying(exact, faster, tmp_path / "given.json", find).predict(IMAGE, cord=cord)
    assert looked == []
    agreed = trying(exact, faster, tmp_path / "found.json", find)
    for _ in range(IMAGES + 2):
        notes = agreed.predict(IMAGE).notes
    assert "is used: on 3 images at least 1.00000" in notes[-1]
    assert len(looked) == IMAGES
