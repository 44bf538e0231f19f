"""Several images, and the model that they share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sct_rootlets.engines import Segmentation
from sct_rootlets.errors import InputError, ModelError
from sct_rootlets.pipeline import network, segment_many
from tests.pipeline.knowing_engine import Knowing
from tests.synthetic import Neck


def test_several_images_load_the_model_once(neck: Neck, tmp_path: Path, loads: list[Any]) -> None:
    path = neck.write(tmp_path)["image"]
    images = [path, neck.image, path]
    stages: dict[str, None] = {}
    outcomes = list(segment_many(images, progress=lambda stage, *_: stages.setdefault(stage)))
    assert [outcome.item for outcome in outcomes] == images
    for outcome in outcomes:
        predicted = outcome.result()
        assert predicted.files == {}
        np.testing.assert_array_equal(predicted.rootlets.data, neck.rootlets.data)
    assert len(loads) == 1
    assert {f"segmenting [{n}/3]" for n in (1, 2, 3)} < set(stages)


def test_each_of_several_images_has_its_own_mask(neck: Neck, knowing: Knowing) -> None:
    knowing()
    other = replace(neck.cord, data=np.roll(neck.cord.data, 1, axis=0))
    outcomes = segment_many([neck.image] * 3, cords=[neck.cord, None, other])
    used = [outcome.result() for outcome in outcomes]
    assert [predicted.cord_is_ours for predicted in used] == [False, True, False]
    np.testing.assert_array_equal(used[2].cord.data, other.data)


def test_images_that_cannot_be_opened_come_first_and_load_no_model(
    neck: Neck, tmp_path: Path, no_engine: Callable[..., None]
) -> None:
    no_engine()
    good = neck.write(tmp_path)["image"]
    outcomes = segment_many([good, tmp_path / "missing.nii.gz"])
    first = next(outcomes)
    assert first.item == tmp_path / "missing.nii.gz"
    with pytest.raises(InputError, match="no such file"):
        first.result()
    assert list(segment_many([tmp_path, tmp_path / "x.nii"])) != []


def test_a_model_that_cannot_be_loaded_is_no_fault_of_an_image(
    neck: Neck, monkeypatch: pytest.MonkeyPatch, knowing: Knowing
) -> None:
    knowing()

    def load(*args: Any, **kwargs: Any) -> None:
        raise ModelError("is broken", path="model")

    monkeypatch.setattr(network, "load_engine", load)
    with pytest.raises(ModelError, match="is broken"):
        list(segment_many([neck.image, neck.image]))


def test_an_engine_that_fails_on_one_image_goes_on_with_the_next(
    neck: Neck, knowing: Knowing
) -> None:
    engine = knowing()
    predict = engine.predict

    def failing(image: Any, **kwargs: Any) -> Segmentation:
        if image.path == "b":
            raise RuntimeError("out of memory")
        return predict(image, **kwargs)

    engine.predict = failing  # type: ignore[method-assign]
    images = [replace(neck.image, path=name) for name in "abc"]
    outcomes = list(segment_many(images))
    assert [str(outcome.error) for outcome in outcomes] == ["None", "out of memory", "None"]
