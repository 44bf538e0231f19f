"""Where the cord mask comes from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sct_rootlets import pipeline
from sct_rootlets.deepseg import Request, run
from sct_rootlets.deepseg.cord import at_hand
from sct_rootlets.image import load_labels
from sct_rootlets.pipeline import Settings
from tests.pipeline.knowing_engine import Knowing
from tests.synthetic import Neck


def test_a_mask_beside_the_image_comes_before_one_beside_the_output(tmp_path: Path) -> None:
    image, out = tmp_path / "t2.nii.gz", tmp_path / "out"
    out.mkdir()
    assert at_hand(image, out) is None
    (out / "t2_seg.nii").touch()
    assert at_hand(image, out) == out / "t2_seg.nii"
    (tmp_path / "t2_seg.nii.gz").touch()
    assert at_hand(image, out) == tmp_path / "t2_seg.nii.gz"
    assert at_hand(tmp_path / "t1.nii.gz", out) is None


def test_a_mask_at_hand_is_used_said_and_never_changed(
    paths: dict[str, Path], knowing: Knowing
) -> None:
    knowing(cord=True)
    mask = paths["cord"].rename("t2_seg.nii.gz")
    before = mask.read_bytes()
    said: list[str] = []
    (outcome,) = run(Request("rootlets_levels", (Path("t2.nii.gz"),)), say=said.append)
    assert outcome.result().failures == ()
    assert [line for line in said if "t2_seg.nii.gz" in line and "at hand" in line]
    assert mask.read_bytes() == before
    assert not Path("t2_seg.json").exists()


def test_the_bundled_model_predicts_a_mask_where_there_is_none(
    neck: Neck, paths: dict[str, Path], knowing: Knowing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network itself is tested elsewhere; here it counts that it is asked, and how."""
    knowing()
    calls = []
    segment = pipeline.segment

    def bundled(image: Any, **options: Any) -> Any:
        calls.append(options)
        predicted = segment(image, model=options["model"])
        cord = replace(neck.cord, header=None)
        return replace(predicted, segmentation=replace(predicted.segmentation, cord=cord))

    monkeypatch.setattr(pipeline, "segment", bundled)
    said: list[str] = []
    request = Request("rootlets_levels", (Path("t2.nii.gz"),), settings=Settings("cpu", 1))
    (outcome,) = run(request, say=said.append)
    assert outcome.result().failures == ()
    assert [(call["model"], call["settings"]) for call in calls] == [
        ("bundled", Settings("cpu", 1))
    ]
    np.testing.assert_array_equal(load_labels("t2_seg.nii.gz").data, neck.cord.data)
    assert any("bundled model" in line for line in said)
