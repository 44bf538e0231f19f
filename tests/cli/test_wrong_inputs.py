"""Every wrong input through the real command: status, message, and nothing written."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sct_rootlets.files.names import level_files
from tests.cli.listing import listing
from tests.forked import sct_rootlets
from tests.levels.bent_cord import turned
from tests.synthetic import Neck, make_model_folder, save_array


@pytest.fixture(scope="module")
def inputs(neck: Neck, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder of good and of wrong inputs; no test may change it."""
    folder = tmp_path_factory.mktemp("inputs")
    neck.write(folder)
    grid, grey = neck.image.grid, neck.image.data
    whole = (folder / "t2.nii.gz").read_bytes()
    (folder / "folder.nii.gz").mkdir()
    (folder / "text.nii.gz").write_text("no image\n" * 50)
    (folder / "truncated.nii.gz").write_bytes(whole[: len(whole) // 2])
    (folder / "nothing.nii.gz").write_bytes(b"")
    plain = gzip.decompress(whole)
    for other in ("other.nii.gz", "again/t2.nii.gz"):
        (folder / other).parent.mkdir(exist_ok=True)
        (folder / other).write_bytes(whole)
    (folder / "t2.nii").write_bytes(plain)
    (folder / "truncated.nii").write_bytes(plain[: len(plain) // 2])
    save_array(folder / "flat.nii.gz", grey[:, :, 50], grid.affine)
    save_array(folder / "series.nii.gz", np.stack([grey[:9, :9, :9]] * 3, axis=-1), grid.affine)
    save_array(folder / "constant.nii.gz", np.full_like(grey, 7), grid.affine)
    nan = grey.copy()
    nan[:, :, :60] = np.nan
    save_array(folder / "nan.nii.gz", nan, grid.affine)
    save_array(folder / "slice.nii.gz", grey[:, :, 50:51], grid.affine)
    save_array(folder / "no_voxels.nii.gz", grey[:, :, :0], grid.affine)
    save_array(folder / "tensors.nii.gz", np.zeros((9, 9, 9, 1, 6), np.float32), grid.affine)
    colours = np.zeros((9, 9, 9), np.dtype([(c, np.uint8) for c in "RGB"]))
    save_array(folder / "colours.nii.gz", colours, grid.affine)
    claims = bytearray(plain)
    claims[42:48] = np.array([10000, 10000, 10000], "<i2").tobytes()  # dim[1:4]
    (folder / "claims.nii.gz").write_bytes(gzip.compress(bytes(claims)))
    with (folder / "huge.nii").open("wb") as file:
        claims[42:48] = np.array([2000, 1000, 1000], "<i2").tobytes()
        file.write(bytes(claims[:352]))
        file.truncate(352 + 4 * 2000 * 1000 * 1000)  # sparse
    save_array(folder / "zeros.nii.gz", np.zeros(grid.shape, np.uint8), grid.affine)
    moved = grid.affine.copy()
    moved[2, 3] += 20
    cord, rootlets = (x.data.astype(np.uint8) for x in (neck.cord, neck.rootlets))
    save_array(folder / "moved.nii.gz", cord, moved)
    save_array(folder / "cropped.nii.gz", cord[:, :, :80], grid.affine)
    save_array(folder / "unnumbered.nii.gz", (rootlets > 0).astype(np.uint8), grid.affine)
    for name, image in (("turned_cord", neck.cord), ("turned_discs", neck.discs)):
        other = turned(image, (2, 0, 1), (True, False, True))
        save_array(folder / f"{name}.nii.gz", other.data.astype(np.uint8), other.grid.affine)
    soft = np.clip(0.9 * cord + 0.05, 0, 1).astype(np.float32)
    save_array(folder / "soft_cord.nii.gz", soft, grid.affine)
    save_array(
        folder / "soft_rootlets.nii.gz", 0.7 * (rootlets > 0).astype(np.float32), grid.affine
    )
    save_array(folder / "faint_cord.nii.gz", 0.3 * cord.astype(np.float32), grid.affine)
    save_array(folder / "one_volume.nii.gz", rootlets[..., None], grid.affine)
    save_array(folder / "beyond_s5.nii.gz", np.where(rootlets == 6, 31, rootlets), grid.affine)
    save_array(folder / "negative.nii.gz", -rootlets.astype(np.int16), grid.affine)
    save_array(folder / "whole_numbers.nii.gz", np.rint(grey).astype(np.int16), grid.affine)
    far = grid.affine.copy()
    far[2, 3] += 500
    save_array(folder / "far_discs.nii.gz", neck.discs.data.astype(np.uint8), far)
    vertebrae = cord * (2 + (99 - np.arange(100)) // 18).astype(np.uint8)
    save_array(folder / "labelled_cord.nii.gz", vertebrae, grid.affine)
    nan_affine = save_array(folder / "nan_affine.nii", cord, grid.affine)
    raw = bytearray(nan_affine.read_bytes())
    raw[280:284] = np.array([np.nan], "<f4").tobytes()  # srow_x[0]
    nan_affine.write_bytes(bytes(raw))
    pmj = np.zeros(grid.shape, np.uint8)
    pmj[16, 20, 95] = 50
    save_array(folder / "pmj.nii.gz", pmj, grid.affine)
    make_model_folder(folder / "model", has_level_identity=False)
    return folder


IMAGES = {
    "missing.nii.gz": "no such file",
    "folder.nii.gz": "is a folder",
    "text.nii.gz": "is a text file",
    "truncated.nii.gz": "",  # found while reading the header or the voxels
    "truncated.nii": "truncated or damaged",
    "nothing.nii.gz": "empty file",
    "flat.nii.gz": "2 dimensions",
    "series.nii.gz": "with -volume N",
    "constant.nii.gz": "is constant",
    "zeros.nii.gz": "is constant",
    "nan.nii.gz": f"{33 * 33 * 60} voxels that are NaN or infinite, of {33 * 33 * 100}",
    "slice.nii.gz": "single slice",
    "no_voxels.nii.gz": "no voxels",
    "tensors.nii.gz": "5 dimensions",
    "colours.nii.gz": "holds colours",
    "claims.nii.gz": "header promises 4e+03 GB",
    "huge.nii": "2e+09 voxels",
    "cord.nii.gz": "mask or labels",
}
SEGMENTATIONS = {
    "missing.nii.gz": "no such file",
    "truncated.nii.gz": "",
    "flat.nii.gz": "2 dimensions",
    "series.nii.gz": "4 dimensions",
    "zeros.nii.gz": "is empty",
    "t2.nii.gz": "not whole numbers",
    "soft_rootlets.nii.gz": "not whole numbers",
    "beyond_s5.nii.gz": "no spinal levels: [31]",
    "negative.nii.gz": "out of range",
    "discs.nii.gz": "point labels",
    "whole_numbers.nii.gz": "no spinal levels",
}
CORDS = {
    "zeros.nii.gz": "is empty",
    "faint_cord.nii.gz": "is empty at a probability of 0.5",
    "t2.nii.gz": "not whole numbers",
    "whole_numbers.nii.gz": "looks like an MR image",
    "series.nii.gz": "4 dimensions",
    "nan_affine.nii": "no valid orientation",
    "discs.nii.gz": "is no usable cord mask",
}
LANDMARKS_AND_OPTIONS = [
    ("-discs far_discs.nii.gz", 1, "all its discs outside the field of view"),
    ("-discs series.nii.gz", 1, "4 dimensions"),
    ("-discs soft_cord.nii.gz", 1, "not whole numbers"),
    ("-discs pmj.nii.gz", 2, "holds no disc label"),
    ("-discs labelled_cord.nii.gz", 2, "-vertfile"),
    ("-pmj rootlets.nii.gz", 1, "no PMJ label"),
    ("-pmj nan_affine.nii", 1, "no valid orientation"),
    ("-c2c3 0,9,650", 2, "outside the field of view"),
    ("-dilation 3", 2, "-definition valosek2024"),
    ("-definition valosek2024 -extend T12", 2, "-extend"),
]
SEVERAL_IMAGES = {
    "-i t2.nii.gz other.nii.gz -o out/a.nii.gz": "-o has 1 and -i has 2 files",
    "-i t2.nii.gz -o out/a.nii.gz out/b.nii.gz": "-o has 2 and -i has 1 files",
    "-i t2.nii.gz other.nii.gz -s cord.nii.gz -ofolder out": "-s has 1 and -i has 2",
    "-i t2.nii.gz other.nii.gz -discs discs.nii.gz": "-discs belongs to one image",
    "-i t2.nii.gz other.nii.gz -vertfile discs.nii.gz": "-vertfile belongs to one image",
    "-i t2.nii.gz other.nii.gz -c2c3 0,9,65": "-c2c3 belongs to one image",
    "-i t2.nii.gz ./t2.nii.gz -ofolder out": "would be written for t2.nii.gz and again",
    "-i t2.nii.gz t2.nii": "t2_rootlets.nii.gz: would be written",
    "-i t2.nii.gz other.nii.gz -o out/a.nii.gz out/a.nii": "out/a.json: would be written",
    "-i t2.nii.gz other.nii.gz -o out/a.nii.gz other.nii.gz": "other.nii.gz: is an input",
    "-i t2.nii.gz -o out/t2_seg.nii.gz": "out/t2_seg.nii.gz: would be written",
    # Rootlets of names of their own, and one name for the masks beside them.
    "-i t2.nii.gz again/t2.nii.gz -o out/a.nii.gz out/b.nii.gz": (
        "out/t2_seg.nii.gz: would be written for t2.nii.gz"
    ),
}
NO_VOLUME = {
    "-i series.nii.gz -volume 3": "series.nii.gz: has 3 volumes, 0 to 2",
    "-i t2.nii.gz -volume 1": "t2.nii.gz: has one volume",
}
OTHER_GRIDS = [
    "levels -i rootlets.nii.gz -s {} -o out/levels.nii.gz",
    "run -i t2.nii.gz -s {} -discs discs.nii.gz -model model -ofolder out",
    "segment -i t2.nii.gz -s {} -model model -o out/rootlets.nii.gz",
]
NO_DISC = [
    "run -i t2.nii.gz -model model -ofolder out",
    "run -i t2.nii.gz -model model -discs pmj.nii.gz -ofolder out",
    "levels -i unnumbered.nii.gz -s cord.nii.gz -o out/levels.nii.gz",
    "levels -i unnumbered.nii.gz -s cord.nii.gz -discs pmj.nii.gz -o out/levels.nii.gz",
]
INTO_OUT = "-o out/levels.nii.gz"
LEVELS = "levels -i rootlets.nii.gz -s cord.nii.gz"
#: Command line, exit status, and what the message has to say.
REFUSED = [
    *(
        (f"run -i {name} -discs discs.nii.gz -model model -ofolder out -qc qc", 1, name, told)
        for name, told in IMAGES.items()
    ),
    *((f"levels -i {x} -s cord.nii.gz {INTO_OUT}", 1, x, y) for x, y in SEGMENTATIONS.items()),
    *((f"levels -i rootlets.nii.gz -s {x} {INTO_OUT}", 1, x, y) for x, y in CORDS.items()),
    *((f"{LEVELS} {words} {INTO_OUT}", *rest) for words, *rest in LANDMARKS_AND_OPTIONS),
    *((f"segment {words} -model model", 2, told) for words, told in SEVERAL_IMAGES.items()),
    *(
        (f"{command} {words} -model model -ofolder out", 2, told, "counted from 0")
        for command in ("run -discs discs.nii.gz", "segment")
        for words, told in NO_VOLUME.items()
    ),
    *(
        (command.format(name), 1, name, "is not on the grid of")
        for command in OTHER_GRIDS
        for name in ("moved.nii.gz", "cropped.nii.gz")
    ),
    *((command, 2, "-discs", "-c2c3", "C2/C3") for command in NO_DISC),
    *(
        (f"run -i t2.nii.gz -discs discs.nii.gz -model {model} -ofolder out", 1, model)
        for model in ("nowhere/model", "unheard-of", "folder.nii.gz")
    ),
    # Neither rootlets nor vertebrae; and the published method needs rootlets.
    (f"levels -s cord.nii.gz {INTO_OUT}", 2, "-i", "-discs"),
    (f"levels -s cord.nii.gz -discs discs.nii.gz -definition valosek2024 {INTO_OUT}", 2,
     "needs rootlets"),
    # Cord and rootlets swapped; one file as both.
    (f"levels -i cord.nii.gz -s rootlets.nii.gz -discs discs.nii.gz {INTO_OUT}", 2,
     "cord.nii.gz", "rootlets.nii.gz", "-i", "-s"),
    (f"levels -i cord.nii.gz -s cord.nii.gz -discs discs.nii.gz {INTO_OUT}", 2,
     "cord.nii.gz", "same voxels"),
    (f"{LEVELS} -o rootlets.nii.gz", 2, "rootlets.nii.gz", "is an input"),
    (f"{LEVELS} -o ./cord.nii.gz", 2, "cord.nii.gz", "is an input"),
    ("segment -i t2.nii.gz -o t2.nii.gz -model model", 2, "t2.nii.gz", "is an input"),
    (f"{LEVELS} -o t2.nii.gz/levels.nii.gz", 1, "t2.nii.gz", "is not a folder"),
    ("demo -o out -seed 1000000", 2, "1000000"),
]  # fmt: skip


@pytest.mark.parametrize("refused", REFUSED, ids=lambda refused: refused[0])
def test_what_is_refused(inputs: Path, refused: tuple[Any, ...]) -> None:
    """The status is that, the message is one line that says this, and nothing has changed."""
    command, status, *told = refused
    before = listing(inputs)
    done = sct_rootlets(*command.split(), folder=inputs)
    assert done.returncode == status, done.stderr
    assert listing(inputs) == before
    message = done.stderr.partition("sct_rootlets: error: ")[2]
    assert message, done.stderr
    for text in told:
        assert text in message
    assert "Traceback" not in done.stderr
    assert len(message.strip().splitlines()) == 1


def test_nothing_but_broken_images_loads_no_model(inputs: Path) -> None:
    before = listing(inputs)
    command = "segment -i missing.nii.gz series.nii.gz -model nowhere/model"
    done = sct_rootlets(*command.split(), folder=inputs)
    assert done.returncode == 1
    assert listing(inputs) == before
    errors = [text for text in done.stderr.splitlines() if "sct_rootlets: error: " in text]
    assert len(errors) == 3
    assert "missing.nii.gz: no such file" in errors[0]
    assert "series.nii.gz: has 4 dimensions" in errors[1]
    assert "2 of 2 images could not be segmented: missing.nii.gz, series.nii.gz" in errors[2]
    assert "nowhere" not in done.stderr


USUAL = "rootlets.nii.gz -s cord.nii.gz"
WITH_DISCS = "unnumbered.nii.gz -s cord.nii.gz -discs discs.nii.gz"
#: What is as usual, what means the same, and what is told of it.
MEANINGS = {
    "a cord mask in another orientation": (USUAL, "rootlets.nii.gz -s turned_cord.nii.gz", ""),
    "probabilities": (USUAL, "rootlets.nii.gz -s soft_cord.nii.gz", "was cut at 0.5"),
    "one volume in four dimensions": (USUAL, "one_volume.nii.gz -s cord.nii.gz", ""),
    "discs in another orientation": (WITH_DISCS, WITH_DISCS.replace("discs.", "turned_discs."), ""),
}


@pytest.mark.parametrize("case", MEANINGS)
def test_plain_meanings_are_understood(inputs: Path, tmp_path: Path, case: str) -> None:
    usual, other, told = MEANINGS[case]
    tables = []
    for name, words in (("as_usual", usual), ("other", other)):
        target = tmp_path / f"{name}.nii.gz"
        done = sct_rootlets(*f"levels -i {words} -o {target}".split(), folder=inputs)
        assert done.returncode == 0, done.stderr
        text = (tmp_path / f"{name}.tsv").read_text()
        tables.append(text.replace(words.split()[0], "rootlets"))
    assert tables[0] == tables[1]
    warnings = json.loads((tmp_path / "other.json").read_text())["warnings"]
    assert told in " ".join(done.stderr.split())
    assert told in " ".join(warnings)


def test_the_good_inputs_are_good(inputs: Path, tmp_path: Path) -> None:
    """What the tests above get wrong is the one thing they mean to get wrong."""
    pytest.importorskip("matplotlib", reason="the figure is one of the files")
    target = tmp_path / "made" / "levels.nii.gz"
    for words in (USUAL, WITH_DISCS):
        done = sct_rootlets(*f"levels -i {words} -o {target}".split(), folder=inputs)
        assert done.returncode == 0, done.stderr
        assert {p.name for p in target.parent.iterdir()} == {
            path.name for path in level_files(target).values()
        }
        assert "C4     measured" in done.stdout
        assert "fsleyes" in done.stdout.splitlines()[-1]
