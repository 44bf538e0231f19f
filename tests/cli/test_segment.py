"""What ``segment`` writes and prints, of one image and of several."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.image import load_labels
from tests.cli import interrupting
from tests.cli.conftest import Command
from tests.cli.listing import names
from tests.pipeline.knowing_engine import Knowing
from tests.synthetic import Neck

pytestmark = pytest.mark.usefixtures("no_figures", "paths")


def several(paths: dict[str, Path], *names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(paths["image"].read_bytes())


def test_segment_without_a_disc_gives_a_mask_and_says_so(
    knowing: Knowing, command: Command
) -> None:
    knowing(identity=False)
    out = command("segment -i t2.nii.gz").out
    assert load_labels("t2_rootlets.nii.gz").labels == [1]
    assert load_labels("t2_seg.nii.gz").labels == [1]
    assert "no level identity" in out
    assert "also predicted the cord: t2_seg.nii.gz" in out
    assert json.loads(Path("t2_rootlets.json").read_text())["Labels"] == {"1": "rootlet"}


def test_segment_with_a_disc_numbers(neck: Neck, knowing: Knowing, command: Command) -> None:
    knowing(identity=False)
    command("segment -i t2.nii.gz -s cord.nii.gz -discs discs.nii.gz -o new/r.nii.gz")
    assert names("new") == {"r.nii.gz", "r.json"}
    np.testing.assert_array_equal(load_labels("new/r.nii.gz").data, neck.rootlets.data)
    labels = json.loads(Path("new/r.json").read_text())["Labels"]
    assert labels == {"3": "C3", "4": "C4", "5": "C5", "6": "C6"}


def test_segment_several_images_beside_each_other(
    paths: dict[str, Path], knowing: Knowing, command: Command
) -> None:
    knowing(identity=True)
    several(paths, "a/t2.nii.gz", "b/t2.nii.gz")
    out, err = command("segment -i a/t2.nii.gz b/t2.nii.gz t2.nii.gz")
    ours = {"t2_rootlets.nii.gz", "t2_rootlets.json", "t2_seg.nii.gz", "t2_seg.json"}
    for folder in ("a", "b"):
        assert names(folder) == {"t2.nii.gz", *ours}
    assert ours < names()
    content = json.loads(Path("b/t2_rootlets.json").read_text())
    assert content["Sources"] == ["t2.nii.gz"]
    assert "b/t2.nii.gz: b/t2_rootlets.nii.gz, b/t2_seg.nii.gz" in out
    assert out.count("Model: knowing 1.0") == 1
    assert out.count("fsleyes ") == 3
    assert "[1/3]: done" in err
    assert "[3/3]: done" in err


def test_segment_several_images_into_a_folder_with_masks_and_what_lies_between(
    paths: dict[str, Path], knowing: Knowing, command: Command
) -> None:
    knowing(identity=True)
    several(paths, "a.nii.gz", "b.nii.gz")
    command("segment -i a.nii.gz b.nii.gz -s cord.nii.gz cord.nii.gz -ofolder out/new -r 0")
    assert names("out/new") == {
        f"{name}_rootlets{end}"
        for name in "ab"
        for end in (".nii.gz", ".json", "-predicted.nii.gz")
    }
    command("segment -i a.nii.gz b.nii.gz -o x/1.nii.gz y/2.nii -v 0")
    assert names("x") == {"1.nii.gz", "1.json", "a_seg.nii.gz", "a_seg.json"}
    assert names("y") == {"2.nii", "2.json", "b_seg.nii.gz", "b_seg.json"}


def test_a_broken_image_does_not_stop_the_others(
    paths: dict[str, Path], knowing: Knowing, command: Command
) -> None:
    knowing(identity=True)
    several(paths, "a.nii.gz", "c.nii.gz")
    whole = paths["image"].read_bytes()
    Path("b.nii.gz").write_bytes(whole[: len(whole) // 2])  # its header is whole
    words = "segment -i a.nii.gz b.nii.gz missing.nii.gz c.nii.gz -ofolder out"
    err = command(words, status=1).err
    assert names("out") == {
        f"{name}{end}"
        for name in ("a_rootlets", "a_seg", "c_rootlets", "c_seg")
        for end in (".nii.gz", ".json")
    }
    missing, broken, last = (line for line in err.splitlines() if "sct_rootlets: error: " in line)
    assert "missing.nii.gz: no such file" in missing
    assert "b.nii.gz: is truncated or damaged" in broken
    assert "2 of 4 images could not be segmented: missing.nii.gz, b.nii.gz" in last
    assert "the others are written" in last
    assert err.index("missing.nii.gz") < err.index("Loading the model")


def test_a_mask_of_somebody_else_among_several_stops_all_before_anything_starts(
    paths: dict[str, Path], knowing: Knowing, command: Command
) -> None:
    knowing(identity=True)
    several(paths, "a.nii.gz", "b.nii.gz")
    paths["cord"].rename("b_seg.nii.gz")
    before = names()
    assert "was not made by sct_rootlets" in command("segment -i a.nii.gz b.nii.gz", status=2).err
    assert names() == before


INTERRUPTED = """
import sys, time
from pathlib import Path
from sct_rootlets.pipeline import network
from sct_rootlets.cli.main import main
from tests.synthetic import make_neck
from tests.pipeline.knowing_engine import KnowingEngine

class Slow(KnowingEngine):
    def predict(self, image, **kwargs):
        if "b.nii.gz" in image.path:
            Path("reached").touch()
            time.sleep(600)
        return super().predict(image, **kwargs)

engine = Slow(make_neck())
network.located = lambda reference, progress: engine.model
network.load_engine = lambda *a, **k: engine
sys.exit(main("segment -i a.nii.gz b.nii.gz c.nii.gz d.nii.gz -ofolder out".split()))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ")
def test_an_interruption_leaves_whole_files_only(paths: dict[str, Path]) -> None:
    several(paths, *(f"{name}.nii.gz" for name in "abcd"))
    interrupting.assert_stops(INTERRUPTED, Path("reached").exists)
    # what was ready is whole, and what was not has left nothing behind
    made = ["a_rootlets.json", "a_rootlets.nii.gz", "a_seg.json", "a_seg.nii.gz"]
    assert sorted(path.name for path in Path("out").iterdir()) == made
    assert load_labels("out/a_rootlets.nii.gz").labels == [3, 4, 5, 6]
